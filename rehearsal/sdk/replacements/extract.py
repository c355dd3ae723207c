"""`python -m rehearsal.sdk.replacements.extract`: writes `documented.json` from the docstrings of the SDK packages.

Terraform's documentation, which the docstrings come from, says of some properties that a change forces a new
resource, of some that it does not. Only top-level inputs and the nested types right below them are looked at.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from rehearsal.sdk import source

PACKAGES = ("aws", "random")
_PROPERTY = re.compile(
    r"@pulumi\.getter(?:\(name=\"([^\"]+)\"\))?\n(?:    @[^\n]*\n)*    def (\w+)\(self\) -> ([^\n]+):\n"
    r"        \"\"\"\n(.*?)\n        \"\"\"", re.S)
_FORCES = re.compile(
    r"[^.]*\b(?:(?:forces?|forcing|causes?|requires?|triggers?|results? in)\s+(?:the\s+)?(?:creation of\s+)?(?:a\s+)?"
    r"(?:new|replacement|re-?creation|destroy)|forces? (?:a )?replacement|will be (?:destroyed and )?re-?created|"
    r"to be recreated|(?:cannot|can't|can not) be (?:changed|modified|updated) after)[^.]*\.?", re.I)
_DOES_NOT = re.compile(r"(?:doesn't|does not|won't|will not|without|may|unless|only if|if you)\b", re.I)


def documented(token: str) -> dict[str, str]:
    """Property path → the sentence, for one resource type."""
    _, arguments = source.resource(token)
    found: dict[str, str] = {}
    for camel, snake, annotation, text in _PROPERTY.findall(arguments.text):
        name = camel or snake
        if (sentence := forcing_sentence(text)) is not None:
            found[name] = sentence
            continue
        for reference in re.findall(r"'([\w.]+Args)'", annotation):
            if (nested := source.nested(arguments.folder, reference)) is None:
                continue
            for inner_camel, inner_snake, _, inner_text in _PROPERTY.findall(nested.text):
                if (sentence := forcing_sentence(inner_text)) is not None:
                    found[f"{name}.{inner_camel or inner_snake}"] = sentence
    return found


def forcing_sentence(text: str) -> str | None:
    """The sentence that says so without a condition, or None."""
    plain = re.sub(r"\s+", " ", text)
    match = _FORCES.search(plain)
    if match is None or _DOES_NOT.search(match[0]):
        return None
    return match[0].strip()


def main() -> None:
    table = {token: found for package in PACKAGES for token in sorted(source.modules(package))
             if (found := documented(token))}
    file = Path(__file__).with_name("documented.json")
    file.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
    print(f"{file}: {len(table)} types, {sum(map(len, table.values()))} properties")


if __name__ == "__main__":
    main()
