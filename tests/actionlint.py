"""actionlint, which checks workflows: found, or built from its Go module.

In this order: PATH; the cache (as of the Kubernetes binaries); a build of the pinned version, whose sum Go's checksum
database confirms. `python -m tests.actionlint` gets it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rehearsal.kubernetes.toolchain.cache import filling, locked
from rehearsal.kubernetes.toolchain.errors import ToolchainError
from rehearsal.kubernetes.toolchain.versions import cache_root, this_platform

MODULE, VERSION = "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.7"
SECONDS = 900
Report = Callable[[str], None]


def actionlint(report: Report = lambda line: None) -> Path:
    """Raises ToolchainError when it is nowhere to be had; the message says what to do."""
    found = shutil.which("actionlint")
    if found:
        return Path(found)
    folder = cache_root() / "actionlint" / f"{VERSION}-{this_platform()}"
    binary = folder / "actionlint"
    with locked(folder, report):
        if not os.access(binary, os.X_OK):
            with filling(folder) as temporary:
                _build(temporary, report)
    return binary


def _build(folder: Path, report: Report) -> None:
    go = shutil.which("go")
    if go is None:
        raise ToolchainError(f"actionlint can't be built: there is no go on PATH. Install it (`go install {MODULE}@"
                             f"{VERSION}`, or macOS: `brew install actionlint`), or put actionlint on PATH")
    report(f"building actionlint {VERSION}")
    done = subprocess.run([go, "install", f"{MODULE}@{VERSION}"], capture_output=True, text=True, timeout=SECONDS,
                          check=False, env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"})
    if done.returncode:
        raise ToolchainError(f"actionlint can't be built: {done.stderr.strip()[-500:]}")


if __name__ == "__main__":
    try:
        print(actionlint(lambda line: print(line, file=sys.stderr, flush=True)))
    except ToolchainError as error:
        sys.exit(str(error))
