"""Faults at every call position: the sweep (`python -m tests.faults`), its small programs, and what it compares."""
