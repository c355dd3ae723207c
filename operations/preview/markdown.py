def comment(p): return ""
