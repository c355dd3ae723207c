"""Bytes of assets and archives, the same on every machine and at every time."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

from rehearsal.engine.values import Archive, Asset

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_SKIPPED = {"__pycache__", ".git", ".DS_Store"}


def content(asset: Asset) -> bytes:
    """Raises OSError when the file is not there, ValueError when the asset says nothing."""
    if asset.text is not None:
        return asset.text.encode()
    if asset.path is not None:
        return Path(asset.path).read_bytes()
    if asset.uri is not None:
        return _fetched(asset.uri)
    raise ValueError("an asset without text, path or uri: it comes from a state, not from a program")


def zipped(archive: Archive) -> bytes:
    """A zip of the archive: entries by name, without times; a file that is a zip already stays as it is.

    Raises OSError when a path is not there, ValueError for an archive without content or of another format.
    """
    source = Path(archive.path) if archive.path is not None else None
    if source is not None and source.is_file():
        if source.suffix not in (".zip", ".jar"):
            raise ValueError(f"{source}: only zip and jar files can be uploaded; give a folder instead")
        return source.read_bytes()
    if archive.uri is not None:
        return _fetched(archive.uri)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in sorted(_entries(archive)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, data)
    return buffer.getvalue()


def _entries(archive: Archive, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    if archive.path is not None:
        root = Path(archive.path)
        if not root.is_dir():
            raise FileNotFoundError(f"{root}: no such folder")
        for path in sorted(root.rglob("*")):
            inner = path.relative_to(root)
            if path.is_file() and not _SKIPPED & set(inner.parts):
                yield prefix + inner.as_posix(), path.read_bytes()
        return
    if archive.assets is None:
        raise ValueError("an archive without path, uri or assets: it comes from a state, not from a program")
    for name, each in archive.assets.items():
        if isinstance(each, Archive):
            yield from _entries(each, f"{prefix}{name}/")
        else:
            yield prefix + name, content(each)


def _fetched(uri: str) -> bytes:
    if not uri.startswith("file://"):
        raise ValueError(f"{uri}: a rehearsal is offline, only file:// can be read")
    with urllib.request.urlopen(uri) as file:
        return bytes(file.read())
