"""Three changes as somebody would propose them, and what `candlefish preview` says of each.

`python -m tests.previews FOLDER` writes comments, pages and, where there is a Chromium, pictures of the pages into the
folder; `--write` renews the comments in docs/previews/.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from candlefish import preview_sources as sources
from candlefish.preview_evaluate import Job, record
from candlefish.preview_refs import files_here
from operations.preview.html import page
from operations.preview.markdown import comment
from operations.preview.model import Preview
from tests.program import ROOT

STACK, REF = "production", "main"
DOCS = ROOT / "docs/previews"
TABS = ("changes", "resources", "topology", "up", "cost", "policies")
SECTIONS = ("### ⚠️ Destroyed or replaced", "### Violated policies")  # of a comment: what a reviewer must not miss
_SETTINGS, _DATABASE, _BUCKET = f"Pulumi.{STACK}.yaml", "infra/components/database.py", "infra/components/bucket.py"
_SERVICES = "  candlefish:services:\n"
_SERVICE = f"""    invoices:
      port: 9000
      image: ghcr.io/candlefish-ai/invoices:1.0.0@sha256:{64 * '0'}
      callers: [api-gateway]
      calls: [database]
      resources: {{cpuMillis: 100, memoryMib: 128, cpuLimitMillis: 500, memoryLimitMib: 256}}
      replicas: {{minimum: 2, maximum: 4}}
"""


@dataclass(frozen=True)
class Edit:
    """The text is in the file once."""

    file: str
    old: str
    new: str


CHANGES: Mapping[str, Sequence[Edit]] = {
    # A key of its own, and room: RDS takes another key for a new instance alone.
    "database-replaced": (
        Edit(_DATABASE, '"kmsKeyId", "storageEncrypted")', '"storageEncrypted")'),
        Edit(_DATABASE, '"kms_key_id": args.data_key_arn}', '"kms_key_id": args.logs_key_arn}'),
        Edit(_SETTINGS, "    storageGib: 100\n", "    storageGib: 200\n")),
    "new-service": (Edit(_SETTINGS, _SERVICES, _SERVICES + _SERVICE),),
    # So that a page may show files of a bucket without a distribution.
    "public-bucket": (Edit(_BUCKET, "block_public_policy=True", "block_public_policy=False"),)}


def copied(folder: Path) -> Path:
    """The program in a folder of its own."""
    for path in files_here(ROOT):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    return folder


def edited(folder: Path, edits: Sequence[Edit]) -> Path:
    for edit in edits:
        file = folder / edit.file
        text = file.read_text(encoding="utf-8")
        assert text.count(edit.old) == 1, f"{edit.file} has {edit.old!r} {text.count(edit.old)} times; change this file"
        file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    return folder


def previews(folder: Path) -> dict[str, Preview]:
    """By the change's name. What `candlefish preview --against main` finds, with main's version evaluated once for
    all."""
    before = Job(STACK, copied(folder / "main"))
    after = {name: Job(STACK, edited(copied(folder / name), edits)) for name, edits in CHANGES.items()}
    found = record([before, *after.values()])
    return {name: Preview(REF, (sources.compared(
        STACK, REF, found[before], found[job], sources.cost(before.directory, job.directory, STACK)),))
        for name, job in after.items()}


def sections(text: str) -> dict[str, list[str]]:
    """The lines of a comment that a reviewer must not miss."""
    found: dict[str, list[str]] = {}
    under: list[str] | None = None
    for line in text.splitlines():
        if line.startswith("#"):
            title = next((each for each in SECTIONS if line.startswith(each)), None)
            under = None if title is None else found.setdefault(title, [])
        elif under is not None and line.startswith(("| ", "- ")):
            under.append(line)
    return found


def photographed(file: Path, tab: str, picture: Path, width: int = 1366, height: int = 900) -> None:
    """What a laptop shows of the page."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000", "--hide-scrollbars",
             f"--window-size={width},{height}", f"--screenshot={picture}", f"{file.as_uri()}#{tab}"],
            capture_output=True, timeout=120, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.previews", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="for comments, pages and pictures")
    parser.add_argument("--write", action="store_true", help=f"renew the comments in {DOCS.relative_to(ROOT)}")
    given = parser.parse_args()
    if given.folder is None and not given.write:
        parser.error("a folder, --write or both")
    with tempfile.TemporaryDirectory(prefix="candlefish-previews-") as work:
        found = previews(Path(work))
    for name, preview in found.items():
        if given.write:
            DOCS.mkdir(exist_ok=True)
            (DOCS / f"{name}.md").write_text(comment(preview), encoding="utf-8")
        if given.folder is not None:
            given.folder.mkdir(parents=True, exist_ok=True)
            (given.folder / f"{name}.md").write_text(comment(preview), encoding="utf-8")
            file = (given.folder / f"{name}.html").absolute()
            file.write_text(page(preview), encoding="utf-8")
            if shutil.which("chromium"):
                for tab in TABS:
                    photographed(file, tab, given.folder / f"{name}-{tab}.png")


if __name__ == "__main__":
    main()
