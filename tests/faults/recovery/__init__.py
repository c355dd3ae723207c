"""Faults at every call of `recovery rebuild`, `failover` and `failback`: positions, kinds, an account of small contents
and the lives in it. The engine's own calls are swept in `tests/faults`."""
