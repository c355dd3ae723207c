"""What the verbs of operations work on: a stack's settings, and the cluster that the kubeconfig names."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from candlefish.screen import Screen, emit
from kube.client import Client


def kubeconfig_of(given: Path | None) -> Path:
    return given or Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")


def kubernetes(kubeconfig: Path | None, context: str | None) -> Client:
    return Client.from_kubeconfig(kubeconfig_of(kubeconfig), context)


def planned(screen: Screen, as_json: bool, steps: Sequence[str]) -> None:
    """Of `--dry-run`."""
    if as_json:
        emit({"dryRun": True, "steps": list(steps)})
        return
    for step in steps:
        screen.say(f"would do: {step}")
    if not steps:
        screen.say("nothing to do: it is so already")


def shown(screen: Screen, as_json: bool, found: dict[str, Any], sentence: Callable[[dict[str, Any]], str]) -> None:
    if as_json:
        emit(found)
    else:
        screen.say(sentence(found), "bold")
