"""Content hashes of assets and archives, and their paths relative to the project."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rehearsal.engine.values import Archive, Asset

_cache: dict[tuple[str, int, int], str] = {}  # (path, modification time, size) -> SHA-256


class AssetMissing(ValueError):
    """A file or folder that an asset or archive names does not exist."""


def hashed_asset(asset: Asset, directory: Path) -> Asset:
    """The asset with the SHA-256 of its content (of its address, if it is a remote one). Raises AssetMissing."""
    return asset if asset.hash else replace(asset, hash=_asset_hash(asset, directory))


def _asset_hash(asset: Asset, directory: Path) -> str:
    if asset.text is not None:
        return hashlib.sha256(asset.text.encode()).hexdigest()
    if asset.path is not None:
        return _file_hash(directory / asset.path)
    return hashlib.sha256(f"uri:{asset.uri}".encode()).hexdigest()


def hashed_archive(archive: Archive, directory: Path) -> Archive:
    """The archive with a SHA-256 over the names and contents of its files. Raises AssetMissing."""
    if archive.hash:
        return archive
    digest = hashlib.sha256()
    for name, content in sorted(_entries(archive, directory).items()):
        digest.update(f"{name}\0{content}\n".encode())
    assets: Mapping[str, Asset | Archive] | None = archive.assets
    if assets is not None:
        assets = {name: hashed_asset(item, directory) if isinstance(item, Asset) else hashed_archive(item, directory)
                  for name, item in assets.items()}
    return replace(archive, assets=assets, hash=digest.hexdigest())


def _entries(archive: Archive, directory: Path) -> dict[str, str]:
    if archive.assets is not None:
        found: dict[str, str] = {}
        for name, item in archive.assets.items():
            if isinstance(item, Asset):
                found[name] = _asset_hash(item, directory)
            else:
                found |= {f"{name}/{inner}": value for inner, value in _entries(item, directory).items()}
        return found
    if archive.path is None:
        return {"uri": str(archive.uri)}
    root = directory / archive.path
    if root.is_dir():
        return {file.relative_to(root).as_posix(): _file_hash(file) for file in root.rglob("*") if file.is_file()}
    return {root.name: _file_hash(root)}


def _file_hash(path: Path) -> str:
    try:
        status = path.stat()
        key = (str(path), status.st_mtime_ns, status.st_size)
        if key not in _cache:
            with path.open("rb") as file:
                _cache[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AssetMissing(f"asset `{path}` cannot be read: {error.strerror}; paths are relative to the project") \
            from error
    return _cache[key]


def absolute(item: Asset | Archive, directory: Path) -> Asset | Archive:
    """The same with an absolute path, for a provider that opens it."""
    if isinstance(item, Archive) and item.assets is not None:
        return replace(item, assets={name: absolute(inner, directory) for name, inner in item.assets.items()})
    return item if item.path is None else replace(item, path=str(directory / item.path))


def relative(item: Asset | Archive, directory: Path) -> Asset | Archive:
    """The opposite of `absolute`, for the state: a project keeps its state when it moves."""
    if isinstance(item, Archive) and item.assets is not None:
        return replace(item, assets={name: relative(inner, directory) for name, inner in item.assets.items()})
    if item.path is None or not Path(item.path).is_relative_to(directory):
        return item
    return replace(item, path=Path(item.path).relative_to(directory).as_posix())
