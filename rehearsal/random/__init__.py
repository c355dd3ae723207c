"""The `random` package of Pulumi, without randomness: the same seed draws the same values.

Belongs here: values that live in the state only. Does not belong here: anything that has to do with AWS.
"""

from rehearsal.random.provider import RandomProvider

__all__ = ["RandomProvider"]
