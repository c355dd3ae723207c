"""A clause of a requirement that speaks of infrastructure, as a question to a stack's graph.

A row names the kind of resource that fulfils a clause, a pattern for its name, and what must be true of it. `least`:
how many there must be, or how many in each stack. `but`: stacks where the requirement itself leaves the clause out,
and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from policy.model import Resource

Where = Callable[[Resource], object]
SERVICES = ("website", "backend-api", "analytics-dashboard", "paintbox", "brand-portal", "api-gateway")
OPERATIONS = tuple(f"O{number}" for number in range(1, 11))
MINIMAL = {"development": "E3: minimal monitoring"}
SMALL = {"development": "E3: what its cost band leaves out"}
ONE_REGION = {"development": "E3: nothing of it is kept in a second region"}
AUDITED = dict.fromkeys(("development", "staging", "recovery"),
                       "one an account, made by the stack with `governance.ownsAccountAudit`: production")
ALWAYS_ON = {"production": "F8: non-production only", "recovery": "F8: non-production only"}


@dataclass(frozen=True)
class Row:
    id: str
    clause: str
    type: str
    name: str = "*"
    where: Where = lambda resource: True
    least: int | Mapping[str, int] = 1
    but: Mapping[str, str] = field(default_factory=dict)

    def needs(self, stack: str) -> int:
        """How many there must be."""
        if stack in self.but:
            return 0
        return self.least if isinstance(self.least, int) else self.least[stack]

    def fulfilled_by(self, resource: Resource) -> bool:
        return fnmatchcase(resource.type, self.type) and fnmatchcase(resource.name, self.name) \
            and bool(self.where(resource))


def says(path: str, *values: object) -> Where:
    """The input has one of these values; without values: it is given."""
    return lambda resource: resource.at(path) in values if values else resource.at(path)


def holds(path: str, *texts: str) -> Where:
    """All texts are somewhere in the input."""
    return lambda resource: all(text in str(resource.at(path)) for text in texts)


def all_of(*conditions: Where) -> Where:
    return lambda resource: all(condition(resource) for condition in conditions)
