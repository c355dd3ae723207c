"""The scripts of the database's jobs, with programs of the same names in front of `pg_dump`, `pg_restore` and `aws`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.unit,
              pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed on this machine")]

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TOOLS = Path(__file__).parents[3] / "images" / "database-tools"
CONTENT = "create table visitors (name text);"
# As much of `aws` as the scripts use: a "bucket" in a folder, data keys that only "KMS" can open, in their context.
AWS = r"""#!/bin/sh
set -eu
case "$1 $2" in
  "kms generate-data-key")
    while [ "$1" != --encryption-context ]; do shift; done
    printf '%s\t%s\n' "$(printf secret-key | base64)" "$(printf 'sealed %s' "$2" | base64 | tr -d '\n')" ;;
  "s3 cp")
    from="$4"; to="$5"
    case "$from" in s3://*) cp "$STORE/${from#s3://}" "$to"; exit 0 ;; esac
    mkdir -p "$(dirname "$STORE/${to#s3://}")"; cp "$from" "$STORE/${to#s3://}"
    while [ "$1" != --metadata ]; do shift; done
    printf '%s' "${2#key=}" > "$STORE/${to#s3://}.metadata" ;;
  "s3api head-object")
    while [ "$1" != --bucket ]; do shift; done; bucket="$2"
    while [ "$1" != --key ]; do shift; done
    cat "$STORE/$bucket/$2.metadata" ;;
  "kms decrypt")
    while [ "$1" != --ciphertext-blob ]; do shift; done; blob="${2#fileb://}"
    while [ "$1" != --encryption-context ]; do shift; done
    [ "$(cat "$blob")" = "sealed $2" ] || { echo "AccessDenied: another context" >&2; exit 254; }
    printf secret-key | base64 ;;
  *) echo "unexpected: aws $*" >&2; exit 2 ;;
esac
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    programs, store, room = tmp_path / "bin", tmp_path / "store", tmp_path / "room"
    for folder in (programs, store, room):
        folder.mkdir()

    def program(name: str, text: str) -> None:
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    program("aws", AWS)
    program("pg_dump", f"#!/bin/sh\nprintf '%s' '{CONTENT}'\nexit ${{PG_DUMP_CODE:-0}}\n")
    program("pg_restore", '#!/bin/sh\nfor last; do :; done\ncp "$last" "$RESTORED"\n')

    def started(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(TOOLS / script), *arguments], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": f"{programs}:{os.environ['PATH']}", "STORE": str(store), "DUMP_DIRECTORY": str(room),
                 "DATABASE_URL": "postgresql://u:p@db.test/candlefish", "BACKUPS_BUCKET": "backups",
                 "BACKUPS_PREFIX": "database", "KMS_KEY_ID": "arn:key", "HOME": str(tmp_path), "TMPDIR": short,
                 "RESTORED": str(tmp_path / "restored"), **environment})

    # gpg's socket is in there, and a socket's path may not be longer than 107 characters.
    with tempfile.TemporaryDirectory(prefix="gpg-") as short:
        yield started


def stored(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "store").rglob("*.gpg") if path.is_file()]


def test_a_dump_is_encrypted_before_it_is_stored_and_comes_back(run: Run, tmp_path: Path) -> None:
    done = run("dump")
    assert done.returncode == 0, done.stderr
    (path,) = stored(tmp_path)
    assert CONTENT.encode() not in path.read_bytes()
    assert not any((tmp_path / "room").iterdir())
    back = run("restore", str(path.relative_to(tmp_path / "store" / "backups")))
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "restored").read_text() == CONTENT


def test_a_dump_that_breaks_off_leaves_nothing_behind_and_the_job_fails(run: Run, tmp_path: Path) -> None:
    done = run("dump", PG_DUMP_CODE="1")
    assert done.returncode != 0
    assert "nothing was stored" in done.stderr
    assert stored(tmp_path) == []
    assert not any((tmp_path / "room").iterdir())


def test_a_dump_under_another_name_is_not_opened(run: Run, tmp_path: Path) -> None:
    run("dump")
    (path,) = stored(tmp_path)
    other = path.with_name("000000.dump.gpg")
    path.rename(other)
    Path(f"{path}.metadata").rename(f"{other}.metadata")
    back = run("restore", str(other.relative_to(tmp_path / "store" / "backups")))
    assert back.returncode != 0
    assert not (tmp_path / "restored").exists()
