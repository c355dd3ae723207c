"""Observability: log groups, alarms, dashboards, rules, checks from outside (M1–M4, M6)."""
