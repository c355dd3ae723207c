"""docs/commands/ from the command line itself, a page a verb. `python -m tests.commands` writes it; a test compares."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from candlefish import app

FOLDER = Path(__file__).parents[1] / "docs/commands"
MADE = "Made by `python -m tests.commands` from the command line itself; a test compares.\n"
# Where a verb is told about at length.
PAGES: Mapping[str, str] = {
    "rehearse": "rehearsal.md", "preview": "previews.md", "rollout": "rollouts.md", "site": "switches.md",
    "switch": "switches.md", "scale": "switches.md", "maintenance": "switches.md", "recovery": "recovery.md",
    "verify": "verification.md", "cache": "operations.md", "secrets": "operations.md",
    "certificates": "operations.md", "connect": "operations.md", "capacity": "operations.md",
    "calendar": "calendar.md", "report": "operations.md",
    "cost": "costs.md", "policy": "policies.md"}
_WORDS = {"str": "TEXT", "int": "NUMBER", "float": "NUMBER", "Path": "FILE"}


def pages() -> dict[str, str]:
    """File's name → text."""
    return {"README.md": _index(), **{f"{verb}.md": _page(verb) for verb in app.VERBS}}


def _index() -> str:
    rows = "".join(f"| [{verb}]({verb}.md) | {said} | [{PAGES[verb]}](../{PAGES[verb]}) |\n"
                   for verb, said in app.VERBS.items())
    return f"# Commands\n\n{MADE}\n| command | what | more |\n|---|---|---|\n{rows}\n{app.app.info.epilog}\n"


def _page(verb: str) -> str:
    command = app.loaded(verb)
    commands = dict(_commands(f"candlefish {verb}", command))
    head = f"# candlefish {verb}\n\n{MADE}More: [{PAGES[verb]}](../{PAGES[verb]}).\n"
    if f"candlefish {verb}" not in commands:
        head += f"\n{command.help}\n"
    return head + "".join(_section(name, each) for name, each in commands.items())


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, each in below.items():
        yield from _commands(f"{name} {word}", each)


def _section(name: str, command: Any) -> str:
    params = [each for each in command.params if not each.hidden and each.name != "help"]
    arguments = [each for each in params if not each.opts[0].startswith("-")]
    usage = " ".join([name, *(_argument(each) for each in arguments)])
    rows = "".join(_row(each) for each in params)
    table = f"\n| argument | what | default |\n|---|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n```\n{usage}{' [OPTIONS]' if len(params) > len(arguments) else ''}\n```\n\n" \
           f"{inspect.cleandoc(command.help or '')}\n{table}"


def _argument(parameter: Any) -> str:
    word = parameter.name.upper() + ("…" if parameter.nargs == -1 else "")
    return word if parameter.required else f"[{word}]"


def _row(parameter: Any) -> str:
    option = parameter.opts[0].startswith("-")
    names = ", ".join([*parameter.opts, *parameter.secondary_opts]) if option else _argument(parameter).strip("[]")
    value = _value(parameter)
    said = (parameter.help or "").replace("|", "\\|")
    if parameter.envvar:
        said += f" (or the variable `{parameter.envvar}`)"
    return f"| `{f'{names} {value}'.strip() if option else names}` | {said} | {_default(parameter)} |\n"


def _value(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    kind = parameter.type_descriptor.annotation
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "\\|".join(str(each.value) for each in kind)
    return _WORDS[kind.__name__]


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default is False or default in ("", ()):
        return ""
    return str(default.value if isinstance(default, Enum) else default)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
