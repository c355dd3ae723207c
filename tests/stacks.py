"""What each stack consists of: the one table that tests share. A change of the program that changes a row is said here."""

from __future__ import annotations

STACKS = ("development", "staging", "production", "recovery")
