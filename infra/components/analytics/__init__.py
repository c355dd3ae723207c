"""The serverless side of the animation analytics: tables and the functions behind them.

Belongs here: DynamoDB tables, functions with their roles, queues and log groups. Does not belong here: the functions'
code (`functions/`), metrics and alarms on them (`infra.components.observability`).
"""
