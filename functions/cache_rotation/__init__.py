"""Rotates the AUTH token of the cache; old and new token are accepted until everyone has read the new one (F6)."""
