"""Recovery: what a stack could be brought back from. Nothing here changes anything."""
