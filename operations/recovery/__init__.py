"""Recovery: what a stack can be brought back from, and bringing it back."""
