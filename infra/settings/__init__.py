"""The typed configuration of a stack: the only place that knows environments.

Belongs here: every value that may differ between environments, with its unit, bounds and the words of its refusal.
Does not belong here: Pulumi resources, calls to AWS, arithmetic (`infra.plans`).
"""
