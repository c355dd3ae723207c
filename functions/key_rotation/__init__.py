"""Rotates the key that signs tokens, without refusing a token that is still valid (F6)."""
