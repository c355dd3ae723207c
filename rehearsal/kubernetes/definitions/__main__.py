"""`python -m rehearsal.kubernetes.definitions`: makes the files of this folder from Go modules, by the go command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rehearsal.kubernetes.definitions import FOLDER, MODULES, Module


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: `=` is a text, not YAML 1.1's default value."""


_Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)  # type: ignore[type-var]


def main() -> int:
    """0: made; 1: told on stderr what is missing."""
    if shutil.which("go") is None:
        print("the go command is missing; it fetches the modules and checks their checksums", file=sys.stderr)
        return 1
    for module in MODULES:
        content = _made(module)
        (FOLDER / f"{module.group}.json").write_text(content)
        print(f"{module.group}: {module.path}@{module.version}, {len(content) // 1024} KiB")
    return 0


def _made(module: Module) -> str:
    with tempfile.TemporaryDirectory() as folder:  # outside of any module of ours
        answer = subprocess.run(["go", "mod", "download", "-json", f"{module.path}@{module.version}"], cwd=folder,
                                check=True, capture_output=True, text=True)
    downloaded = json.loads(answer.stdout)
    place = Path(downloaded["Dir"]) / module.folder
    found = {definition["metadata"]["name"]: definition
             for file in sorted(place.glob("*.yaml")) for definition in yaml.load_all(file.read_text(), _Loader)
             if definition and definition.get("kind") == "CustomResourceDefinition"}
    definitions = [_reduced(found[f"{kind}.{module.group}"]) for kind in module.kinds]
    head = {"source": f"{module.path}@{module.version}", "sum": downloaded["Sum"], "licence": module.licence}
    return json.dumps({**head, "definitions": definitions}, separators=(",", ":"), sort_keys=True) + "\n"


def _reduced(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Without versions that are not served and without what asks for a webhook, which nobody here answers."""
    spec = {key: value for key, value in definition["spec"].items() if key != "conversion"}
    spec["versions"] = [_undescribed(each) for each in spec["versions"] if each["served"] or each["storage"]]
    return {"apiVersion": definition["apiVersion"], "kind": definition["kind"],
            "metadata": {"name": definition["metadata"]["name"]}, "spec": spec}


def _undescribed(node: Any, properties: bool = False) -> Any:
    """`properties`: the keys of the node are names of fields, one of which may be `description`."""
    if isinstance(node, Mapping):
        return {key: _undescribed(value, not properties and key == "properties") for key, value in node.items()
                if properties or key != "description" or not isinstance(value, str)}
    if isinstance(node, list):
        return [_undescribed(item) for item in node]
    return node


if __name__ == "__main__":
    sys.exit(main())
