"""What a verification found, for machines: one JSON object, and JUnit's XML for pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from operations.verify.model import Outcome, State


def passed(outcomes: Sequence[Outcome]) -> bool:
    """No check failed, and one at least was done."""
    return (not any(each.state is State.FAILED for each in outcomes)
            and any(each.state is State.OK for each in outcomes))


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {state.value: sum(each.state is state for each in outcomes) for state in State}


def document(stack: str, at: datetime, seconds: float, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"stack": stack, "at": at.isoformat(timespec="seconds"), "seconds": round(seconds, 3),
            "ok": passed(outcomes), "counts": counts(outcomes),
            "checks": [{"name": each.check.name, "group": each.check.group, "about": each.check.about,
                        "state": each.state.value, "said": each.said, "seconds": round(each.seconds, 3)}
                       for each in outcomes]}


def junit(stack: str, at: datetime, seconds: float, outcomes: Sequence[Outcome]) -> str:
    """One suite, a case each check."""
    number = counts(outcomes)
    suite = ElementTree.Element("testsuite", {
        "name": f"candlefish verify {stack}", "timestamp": at.isoformat(timespec="seconds"), "time": f"{seconds:.3f}",
        "tests": str(len(outcomes)), "failures": str(number[State.FAILED]), "skipped": str(number[State.SKIPPED]),
        "errors": "0"})
    for each in outcomes:
        case = ElementTree.SubElement(suite, "testcase", {
            "classname": f"{stack}.{each.check.group}", "name": each.check.name, "time": f"{each.seconds:.3f}"})
        match each.state:
            case State.OK:
                ElementTree.SubElement(case, "system-out").text = _printable(each.said)
            case State.FAILED:
                ElementTree.SubElement(case, "failure", {"message": _printable(each.said)})
            case State.SKIPPED:
                ElementTree.SubElement(case, "skipped", {"message": _printable(each.said)})
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """XML has no control characters."""
    return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in text)
