"""Whether a stack is fit (O5): one table of checks, what each looks at, and the report.

A check only looks; it changes nothing, in no service. What mends a stack belongs elsewhere.
"""
