"""A folder of files with a manifest that says what they are, how long and with which SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operations.errors import NotAcceptable, OperationError

MANIFEST = "manifest.json"
FORMAT = 1


def write(folder: Path, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> None:
    """The manifest comes last: a folder without one is no export. Files are for their owner alone."""
    listed = {}
    for name, content in files.items():
        _put(folder / name, content)
        listed[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    _put(folder / MANIFEST, rendered({"format": FORMAT, **facts, "files": listed}))


def begin(folder: Path) -> None:
    """Makes the folder, or takes the manifest away from one that has an older export. Raises NotAcceptable for a
    folder with something else in it."""
    if folder.exists() and not folder.is_dir():
        raise NotAcceptable(f"--output {folder} is a file; give a folder that is new, empty or an older export")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        if not (folder / MANIFEST).exists():
            raise NotAcceptable(f"--output {folder} has files and no {MANIFEST}; give a folder that is new, empty or "
                                "an older export")
        for name in read(folder)["files"]:
            (folder / name).unlink(missing_ok=True)
        (folder / MANIFEST).unlink()


def read(folder: Path) -> dict[str, Any]:
    """Raises OperationError for a folder without a manifest, or with one of another format."""
    path = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise OperationError(f"{folder} is no export: it has no {MANIFEST}, which is written last; "
                             "make it again with `candlefish recovery export`") from None
    except ValueError as error:
        raise OperationError(f"{path} is not JSON ({error}); take another copy of the export") from None
    if found.get("format") != FORMAT:
        raise OperationError(f"{path} has format {found.get('format')!r}; {FORMAT} is read: use the candlefish that "
                             "made it")
    return found


def wrong(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Sentences: files that are missing, changed, or not in the manifest."""
    problems = []
    for name, expected in sorted(manifest["files"].items()):
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != expected["sha256"]:
            problems.append(f"{name} was changed after the export: its SHA-256 is another")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    problems += [f"{name} is not in the manifest" for name in sorted(there - set(manifest["files"]) - {MANIFEST})]
    return problems


def rendered(document: Any) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True, default=str) + "\n").encode()


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.replace(path)
