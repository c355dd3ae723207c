"""Label selectors as strings: `app=site,color in (blue, green),!canary`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TERM = re.compile(r"\s*(?:(?P<key>[^\s!=,()]+)\s+(?P<set>in|notin)\s*\((?P<values>[^)]*)\)"
                   r"|(?P<name>[^\s!=,()]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[^\s,]*)"
                   r"|(?P<absent>!?)(?P<exists>[^\s!=,()]+))\s*(?:,|$)")


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """Raises ValueError for what is no selector."""
    at = 0
    while at < len(selector):
        term = _TERM.match(selector, at)
        if term is None:
            raise ValueError(f"{selector!r} is not a label selector")
        at = term.end()
        if term["set"]:
            listed = {value.strip() for value in term["values"].split(",")}
            if (labels.get(term["key"]) in listed) != (term["set"] == "in"):
                return False
        elif term["sign"]:
            if (labels.get(term["name"]) == term["value"]) != (term["sign"] != "!="):
                return False
        elif (term["exists"] in labels) == bool(term["absent"]):
            return False
    return True
