"""CustomResourceDefinitions of the projects whose charts and add-ons the program uses, as they publish them.

`{group}.json` is made by `python -m rehearsal.kubernetes.definitions` from the Go modules in `MODULES`; its head says
from which module, version and checksum (go.sum's h1), and under which licence it is. Left out against the original: the
descriptions, which nothing here reads, and kinds that the program has no use for.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Module:
    """`folder`: where the module keeps its definitions, one a file. `kinds`: plural names to take."""

    path: str
    version: str
    folder: str
    group: str
    kinds: tuple[str, ...]
    licence: str = "Apache-2.0"


# Versions of the operators that the charts install (infra/plans/charts.py): kube-prometheus-stack 82.4 has 0.89.0,
# the EKS add-on cert-manager is 1.19.2. External Secrets: the newest that the Go module proxy has; 2.x is not tagged
# as a Go module, and serves the same `external-secrets.io/v1`.
MODULES = (
    Module("github.com/cert-manager/cert-manager", "v1.19.2", "deploy/crds", "cert-manager.io",
           ("certificates", "clusterissuers", "issuers")),
    Module("github.com/external-secrets/external-secrets", "v1.3.2", "config/crds/bases", "external-secrets.io",
           ("clustersecretstores", "externalsecrets", "secretstores")),
    Module("github.com/prometheus-operator/prometheus-operator", "v0.89.0", "example/prometheus-operator-crd",
           "monitoring.coreos.com", ("podmonitors", "probes", "prometheusrules", "scrapeconfigs", "servicemonitors")),
)


@functools.cache
def _published() -> Mapping[str, Mapping[str, Any]]:
    return {definition["metadata"]["name"]: definition for file in sorted(FOLDER.glob("*.json"))
            for definition in json.loads(file.read_text())["definitions"]}


def published(name: str) -> dict[str, Any] | None:
    """The definition `{plural}.{group}` as its project publishes it; None: not among those kept here."""
    found = _published().get(name)
    return None if found is None else copy.deepcopy(dict(found))
