"""Takes batches of animation events, keeps the valid ones and turns their numbers into metrics (F1)."""
