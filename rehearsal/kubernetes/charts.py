"""Charts that are at hand are rendered: Helm checks their values against the chart's own schema and templates.

A chart is at hand when its archive lies in the folder that CANDLEFISH_CHARTS names, as `helm pull --version` leaves it:
`{chart}-{version}.tgz`. The objects that come out are counted, not made: their images would not run here.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rehearsal.kubernetes.toolchain import ToolchainError, ensure_helm
from rehearsal.kubernetes.toolchain.versions import KUBERNETES

FOLDER_VARIABLE = "CANDLEFISH_CHARTS"
SECONDS = 60.0


class ChartError(Exception):
    """The chart does not take these values, or can't be rendered; the message is Helm's."""


def at_hand(chart: str, version: str) -> Path | None:
    """`chart`: a name, `repository/name` or an OCI reference."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    archive = Path(folder).expanduser() / f"{chart.rstrip('/').rpartition('/')[2].partition(':')[0]}-{version}.tgz"
    return archive if archive.is_file() else None


def rendered(archive: Path, release: str, namespace: str, values: Mapping[str, Any]) -> Counter[str]:
    """Kind → how many objects of it the chart makes with these values. Raises ChartError."""
    return _rendered(archive, archive.stat().st_mtime_ns, release, namespace, json.dumps(values, sort_keys=True))


@functools.lru_cache(maxsize=256)
def _rendered(archive: Path, changed: int, release: str, namespace: str, values: str) -> Counter[str]:
    try:
        helm = ensure_helm(lambda line: None)
        done = subprocess.run(
            [helm, "template", release, archive, "--namespace", namespace, "--include-crds", "--values", "-",
             "--kube-version", KUBERNETES], input=values, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (ToolchainError, OSError, subprocess.TimeoutExpired) as error:
        raise ChartError(f"{archive.name} can't be rendered: {error}") from error
    if done.returncode:
        said = done.stderr.strip().removeprefix("Error: ")
        raise ChartError(f"{archive.name} does not take these values: {said}")
    documents = [each for each in yaml.safe_load_all(done.stdout) if each]
    return Counter(str(each.get("kind")) for each in documents)
