"""`python -m rehearsal.kubernetes.toolchain`: gets the binaries, prints where each is from."""

from __future__ import annotations

import sys

from rehearsal.kubernetes.toolchain.errors import ToolchainError
from rehearsal.kubernetes.toolchain.locate import ensure_tools


def main() -> int:
    """0: all four are there; 1: told on stderr what is missing."""
    try:
        tools = ensure_tools(lambda message: print(message, file=sys.stderr, flush=True))
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return 1
    for each in tools.found:
        print(f"{each.name:<24} {each.source:<18} {each.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
