"""Component resources: one a file, each with a frozen Args and typed outputs.

Belongs here: wiring of resources. Does not belong here: arithmetic (`infra.plans`), knowledge of environments
(`infra.settings`): a component receives values and never asks which environment it is in.
"""
