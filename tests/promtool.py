"""promtool, which checks rules and runs their unit tests: found, or got.

In this order: PATH; the cache (as of the Kubernetes binaries); the official release, checked against its published
SHA-256; Debian's package `prometheus`, unpacked without being installed. `python -m tests.promtool` gets it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rehearsal.kubernetes.toolchain.cache import filling, locked
from rehearsal.kubernetes.toolchain.download import archived
from rehearsal.kubernetes.toolchain.errors import ToolchainError, Unavailable
from rehearsal.kubernetes.toolchain.versions import cache_root, this_platform

VERSION = "3.5.0"  # long-term support
URL = "https://github.com/prometheus/prometheus/releases/download/v{version}/{file}"
SECONDS = 120
Report = Callable[[str], None]


def promtool(report: Report = lambda line: None) -> Path:
    """Raises ToolchainError when it is nowhere to be had; the message says what to do."""
    found = shutil.which("promtool")
    if found:
        return Path(found)
    folder = cache_root() / "promtool" / f"{VERSION}-{this_platform()}"
    binary = folder / "promtool"
    with locked(folder, report):
        if os.access(binary, os.X_OK):
            return binary
        failures = []
        for way in (_download, _debian):
            try:
                with filling(folder) as temporary:
                    way(temporary / "promtool", report)
                return binary
            except Unavailable as error:
                failures.append(str(error))
    raise ToolchainError("promtool can't be had:\n  " + "\n  ".join(failures) + "\nInstall Prometheus' tools (Debian: "
                         "`apt install prometheus`, macOS: `brew install prometheus`), or put promtool on PATH")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Its output, whatever it says."""
    return subprocess.run([promtool(), *arguments], capture_output=True, text=True, timeout=SECONDS, check=False,
                          stdin=subprocess.DEVNULL)


def _download(binary: Path, report: Report) -> None:
    stem = f"prometheus-{VERSION}.{this_platform()}"
    archived(binary, URL.format(version=VERSION, file=f"{stem}.tar.gz"),
             URL.format(version=VERSION, file="sha256sums.txt"), f"{stem}/promtool", report)


def _debian(binary: Path, report: Report) -> None:
    """apt checks the package's signature; nothing is installed."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable("no apt-get and dpkg-deb here to get Debian's package")
    report("unpacking promtool from Debian's package prometheus")
    with tempfile.TemporaryDirectory() as folder:
        for command in (["apt-get", "download", "prometheus"], ["dpkg-deb", "--extract", "PACKAGE", "."]):
            package = next(iter(Path(folder).glob("prometheus_*.deb")), None)
            given = [str(package) if part == "PACKAGE" else part for part in command]
            done = subprocess.run(given, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode:
                raise Unavailable(f"`{' '.join(given[:2])}` failed: {done.stderr.strip()[-300:]}")
        shutil.copy2(Path(folder) / "usr" / "bin" / "promtool", binary)


if __name__ == "__main__":
    try:
        print(promtool(lambda line: print(line, file=sys.stderr, flush=True)))
    except ToolchainError as error:
        sys.exit(str(error))
