"""`python -m rehearsal.kubernetes.toolchain [helm]`: gets the binaries, prints where each is from."""

from __future__ import annotations

import sys

from rehearsal.kubernetes.toolchain.errors import ToolchainError
from rehearsal.kubernetes.toolchain.locate import ensure_helm, ensure_tools


def main() -> int:
    """0: all four are there; 1: told on stderr what is missing."""
    def report(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    try:
        if sys.argv[1:] == ["helm"]:
            print(ensure_helm(report))
            return 0
        tools = ensure_tools(report)
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return 1
    for each in tools.found:
        print(f"{each.name:<24} {each.source:<18} {each.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
