"""Who is told of rollouts: Slack, PagerDuty, GitHub's deployments. None of it can fail a rollout.

`senders` writes what each receiver takes, `delivery` sends it, `receivers` says which are in use, `notifier` is what a
rollout tells. Alarms and incidents are the function's `functions/notifications`.
"""
