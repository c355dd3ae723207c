"""What runs beside the platform and keeps it in order: notifications, rotations, cost findings, off-hours.

Belongs here: topics, schedules and the functions behind them. Does not belong here: the functions' code (`functions/`),
alarms (`infra.components.observability`), what an operator starts by hand (`operations`).
"""
