"""The process that records graphs for `candlefish preview`: a request a line on stdin, an answer a line on stdout.

    {"directory": "/repo", "stack": "staging", "key": "…", "state": null, "zones": {}}

The answer is {"resources": […], "judgement": {…}, "steps": […]} or {"failure": "the text"}. A secret leaves this
process as a digest under the request's key, which is another one in every run: two can be compared and none can be
guessed.
"""

from __future__ import annotations

import gc
import hashlib
import hmac
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from candlefish.policies import judge
from infra.settings.load import PREFIX
from operations.preview.values import MARK
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.errors import EngineError
from rehearsal.engine.order import ordered
from rehearsal.engine.results import Step
from rehearsal.engine.state import State
from rehearsal.engine.store import StateFile
from rehearsal.engine.values import UNKNOWN, Archive, Asset, ResourceReference, Secret
from rehearsal.recording import ARNS, record


def main() -> None:
    gc.set_threshold(200_000, 50, 100)  # as the command itself: a graph's objects stay
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line)), separators=(",", ":")) + "\n")
        sys.stdout.flush()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    directory, stack, key = Path(request["directory"]), request["stack"], bytes.fromhex(request["key"])
    try:
        config = StackConfig.load(directory, stack, "")
        state = StateFile(Path(request["state"]), "") if request.get("state") else None
        graph = record(Project.load(directory), stack, config, state=state, zones=request.get("zones"),
                       account=request.get("account", ""))
    except EngineError as error:
        return {"failure": str(error)}
    return {"resources": [_resource(each, key, graph.aliases.get(each.urn, ()))
                          for each in ordered([each for each in graph.resources if not each.delete])],
            "judgement": asdict(judge(graph, config.values.get(f"{PREFIX}environment", stack), date.today())),
            "steps": [_step(each) for each in graph.result.steps] if state else []}


def _resource(state: State, key: bytes, aliases: Sequence[str]) -> dict[str, Any]:
    return {"urn": state.urn, "type": state.type, "name": state.name, "parent": state.parent, "custom": state.custom,
            "inputs": spelled(state.inputs, key), "references": state.property_dependencies,
            "needs": state.dependencies,
            "provider": state.provider.rpartition("::")[0], "protect": state.protect,
            "retained": state.retain_on_delete, "ignored": state.ignore_changes,
            "replacing": state.replace_on_changes, "aliases": list(aliases),
            "names": sorted({str(state.outputs[name]) for name in ARNS if isinstance(state.outputs.get(name), str)})}


def spelled(value: Any, key: bytes) -> Any:
    """As operations.preview.values reads it."""
    match value:
        case dict():
            return {name: spelled(item, key) for name, item in value.items()}
        case list():
            return [spelled(item, key) for item in value]
        case Secret():
            content = json.dumps(spelled(value.value, key), sort_keys=True)
            return {MARK: f"secret:{hmac.new(key, content.encode(), hashlib.sha256).hexdigest()}"}
        case _ if value is UNKNOWN:
            return {MARK: "unknown"}
        case Asset() | Archive():
            return {MARK: f"{type(value).__name__.lower()}:{value.hash}"}
        case ResourceReference():
            return value.urn
        case _:
            return value


def _step(step: Step) -> dict[str, Any]:
    """The engine has masked what is shown of a change."""
    return {"urn": step.urn, "type": step.type, "name": step.name, "operation": step.operation.value,
            "causes": list(step.causes), "properties": [
                {"path": each.path, "before": each.before, "after": each.after, "replaces": each.replaces,
                 "assumed": each.assumed} for each in step.diff]}


if __name__ == "__main__":
    main()
