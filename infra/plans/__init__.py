"""Arithmetic without Pulumi: CIDRs, names, tags, policies, capacity, prices. Pure functions of their arguments."""
