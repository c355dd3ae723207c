"""The embedded AWS: MiniStack and moto behind one gateway, and a handler for each resource type of pulumi-aws.

Belongs here: how a resource type becomes calls of the AWS API. Does not belong here: state, order, secrets (the
engine's), and anything that is particular to Candlefish.
"""
