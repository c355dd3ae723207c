"""Who sees which variant, what came of it, and whether that is more than chance (F5)."""
