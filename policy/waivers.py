"""Waivers: findings that are accepted, each for named resources and environments, with a reason and an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from policy.controls import BY_ID
from policy.model import ENVIRONMENTS, Finding

FILE = Path(__file__).with_name("waivers.yaml")
_KEYS = {"control", "resource", "environments", "reason", "expires"}
_SHORTEST_REASON = 40  # characters: less is no argument


class WaiverError(ValueError):
    """Something in the file of waivers is wrong; the message has a line for each."""


@dataclass(frozen=True)
class Waiver:
    """resource: a pattern for the URN, or for the type and the name with a blank in between."""

    control: str
    resource: str
    environments: frozenset[str]
    reason: str
    expires: date

    def covers(self, finding: Finding, environment: str) -> bool:
        found = finding.resource
        return self.control in finding.control.ids and environment in self.environments and any(
            fnmatchcase(text, self.resource) for text in (found.urn, f"{found.type} {found.name}"))


@dataclass(frozen=True)
class Verdict:
    """waived: findings with the waiver that covers each. open: the others. unused: waivers for this environment that
    cover nothing. expired: those of the open findings that a waiver covered until its end."""

    open: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...]
    unused: tuple[Waiver, ...]
    expired: tuple[tuple[Finding, Waiver], ...] = ()


def load(path: Path = FILE) -> tuple[Waiver, ...]:
    """Raises WaiverError."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    wrong = [f"{path.name}, entry {number}: {message}"
             for number, entry in enumerate(entries, 1) for message in _wrong(entry)]
    if wrong:
        raise WaiverError("\n".join(wrong))
    return tuple(Waiver(entry["control"], entry["resource"], frozenset(entry["environments"]),
                        " ".join(entry["reason"].split()), entry["expires"]) for entry in entries)


def _wrong(entry: Any) -> Iterable[str]:
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        yield f"must have exactly the keys {', '.join(sorted(_KEYS))}"
        return
    control = BY_ID.get(entry["control"])
    if control is None:
        yield f"there is no control {entry['control']!r}"
    for environment in entry["environments"]:
        if environment not in ENVIRONMENTS:
            yield f"there is no environment {environment!r}"
        elif control is not None and environment not in control.waivable:
            yield f"{control.id} can't be waived in {environment}: {control.mend}"
    if entry["resource"].strip() in ("", "*"):
        yield "name the resource: a waiver for everything is no waiver"
    if len(entry["reason"]) < _SHORTEST_REASON:
        yield f"the reason is no argument: {entry['reason']!r}"
    if not isinstance(entry["expires"], date):
        yield f"expires must be a date such as 2027-01-31, not {entry['expires']!r}"


def apply(findings: Sequence[Finding], waivers: Sequence[Waiver], environment: str, today: date) -> Verdict:
    """An expired waiver covers nothing."""
    waived = _covered(findings, [waiver for waiver in waivers if waiver.expires >= today], environment)
    covered = {id(finding) for finding, _ in waived}
    unused = [waiver for waiver in waivers if environment in waiver.environments
              and not any(waiver.covers(finding, environment) for finding in findings)]
    still_open = [finding for finding in findings if id(finding) not in covered]
    expired = _covered(still_open, [waiver for waiver in waivers if waiver.expires < today], environment)
    return Verdict(tuple(still_open), tuple(waived), tuple(unused), tuple(expired))


def _covered(findings: Sequence[Finding], waivers: Sequence[Waiver], environment: str) -> list[tuple[Finding, Waiver]]:
    return [(finding, waiver) for finding in findings
            if (waiver := next((each for each in waivers if each.covers(finding, environment)), None)) is not None]
