"""A static export as objects of a bucket: keys, types, how long they may be kept, hashes."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from infra.plans.edge import BEHAVIOURS, LIVE_COLOUR, OFFLINE_PAGE
from operations.errors import NotAcceptable

SERVED = tuple(one.path.lstrip("/") for one in BEHAVIOURS if one.origin in LIVE_COLOUR)  # CloudFront's patterns
OFFLINE_KEY = OFFLINE_PAGE.lstrip("/")  # the program's own, until a release brings one; never deleted
RECORD_KEY = ".candlefish/release.json"  # no behaviour of CloudFront's leads there
# Says which release answers; the second is in its own colour only, so that the idle one can be asked by failover.
ANSWERING_KEY = "_next/static/release.json"
HASHED, REVALIDATED, PAGES = "public, max-age=31536000, immutable", "no-cache", "public, max-age=300"
# First match, by `fnmatch`. Pages as in infra/components/edge/pages.py.
CACHE_CONTROL = ((ANSWERING_KEY, REVALIDATED), ("_next/static/*", HASHED), ("*", PAGES))
# What Python's table lacks, or names otherwise from version to version.
TYPES = {
    ".avif": "image/avif", ".css": "text/css", ".gltf": "model/gltf+json", ".glb": "model/gltf-binary",
    ".html": "text/html", ".ico": "image/x-icon", ".js": "text/javascript", ".json": "application/json",
    ".map": "application/json", ".mjs": "text/javascript", ".mp4": "video/mp4", ".svg": "image/svg+xml",
    ".txt": "text/plain", ".wasm": "application/wasm", ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp", ".woff": "font/woff", ".woff2": "font/woff2", ".xml": "application/xml"}
_KNOWN = mimetypes.MimeTypes()  # Python's own table, whatever the machine has


@dataclass(frozen=True)
class Item:
    """One object as it should be. sha256: of the content, in hexadecimal; path: where it is; text: instead of one."""

    key: str
    sha256: str
    path: Path | None = None
    text: str = ""

    @property
    def content_type(self) -> str:
        suffix = Path(self.key).suffix.lower()
        found = TYPES.get(suffix) or _KNOWN.guess_type(f"x{suffix}", strict=True)[0] or "application/octet-stream"
        written = found.startswith("text/") or found.endswith(("json", "xml"))
        return f"{found}; charset=utf-8" if written else found

    @property
    def cache_control(self) -> str:
        return next(value for pattern, value in CACHE_CONTROL if fnmatchcase(self.key, pattern))

    @property
    def checksum(self) -> str:
        """As S3 writes it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @property
    def body(self) -> bytes:
        return self.path.read_bytes() if self.path else self.text.encode()


@dataclass(frozen=True)
class Release:
    """id: of the content; the same files are the same release."""

    id: str
    items: Mapping[str, Item]

    @property
    def own_key(self) -> str:
        return own_key(self.id)


def own_key(release: str) -> str:
    return f"_next/static/release-{release}.json"


def served(key: str) -> bool:
    """Whether CloudFront leads viewers to it."""
    return any(fnmatchcase(key, pattern) for pattern in SERVED)


def read(folder: Path) -> Release:
    """Every file below the folder. Raises NotAcceptable for one that is no static export."""
    if not folder.is_dir():
        raise NotAcceptable(f"{folder} is no folder; give the static export, such as out/")
    items = {}
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if path.is_file():
            items[key] = Item(key, hashlib.sha256(path.read_bytes()).hexdigest(), path)
    if not any(served(key) for key in items):
        raise NotAcceptable(f"{folder} has no file below {' or '.join(SERVED)}, and CloudFront serves nothing else of "
                            "the static site; give the static export, such as out/")
    taken = sorted(key for key in items if key in (RECORD_KEY, ANSWERING_KEY))
    if taken:
        raise NotAcceptable(f"{folder}/{taken[0]} has a name that releases use for themselves; rename it")
    listed = json.dumps([[key, item.sha256, item.content_type, item.cache_control] for key, item in items.items()])
    id = hashlib.sha256(listed.encode()).hexdigest()[:16]
    said = json.dumps({"release": id}) + "\n"
    digest = hashlib.sha256(said.encode()).hexdigest()
    for key in (ANSWERING_KEY, own_key(id)):
        items[key] = Item(key, digest, text=said)
    return Release(id, items)
