"""The two versions of the project that a preview compares: the working copy and a ref, as git knows them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from operations.errors import NotAcceptable

# What the Pulumi program does not read: a change of it alone changes no graph.
_BESIDE = ("tests/", "docs/", "rehearsal/", "operations/", "candlefish/", "kube/", "policy/", "scripts/", ".github/")
Files = Mapping[str, str]  # path below the project's folder → git's hash of the content


def commit_of(project: Path, ref: str) -> str:
    """Raises NotAcceptable."""
    try:
        return _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
    except subprocess.CalledProcessError:
        raise NotAcceptable(f"--against {ref}: {project} has no such commit; a branch, tag or hash that `git "
                            "rev-parse` knows is wanted (`git fetch` brings what a shallow clone lacks)") from None


def files_of(project: Path, commit: str) -> Files:
    entries = _git(project, "ls-tree", "-r", "-z", commit).split("\0")
    return {path: facts.split()[2] for facts, _, path in (entry.partition("\t") for entry in entries if entry)}


def files_here(project: Path) -> Files:
    """The working copy with what is not committed, without what is ignored."""
    listed = _git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    paths = sorted({path for path in listed if path and _is_program(path) and (project / path).is_file()})
    hashes = _git(project, "hash-object", "--stdin-paths", text="\n".join(paths)).split()
    return dict(zip(paths, hashes, strict=True))


def program(files: Files, stack: str) -> Files:
    """What a stack's graph is made from."""
    return {path: hash for path, hash in files.items()
            if _is_program(path) and (not path.startswith("Pulumi.") or path in ("Pulumi.yaml", file_of(stack)))}


def file_of(stack: str) -> str:
    return f"Pulumi.{stack}.yaml"


def stacks_of(files: Files) -> list[str]:
    """In the files' order."""
    return [path.split(".")[1] for path in sorted(files)
            if path.startswith("Pulumi.") and path.endswith(".yaml") and path.count(".") == 2]


@contextmanager
def checkout(project: Path, commit: str) -> Iterator[Path]:
    """The project's folder in a worktree of its own, which is gone afterwards, however this ends."""
    prefix = _git(project, "rev-parse", "--show-prefix").strip()
    with tempfile.TemporaryDirectory(prefix="candlefish-preview-") as folder:
        place = Path(folder) / "tree"
        try:
            _git(project, "worktree", "add", "--detach", "--quiet", str(place), commit)
            yield place / prefix
        finally:
            subprocess.run(["git", "-C", str(project), "worktree", "remove", "--force", str(place)],
                           capture_output=True, check=False)


def _is_program(path: str) -> bool:
    return not path.startswith(_BESIDE) and not path.endswith(".md")


def _git(project: Path, *arguments: str, text: str | None = None) -> str:
    """Raises CalledProcessError; NotAcceptable where there is no git or no repository."""
    try:
        done = subprocess.run(["git", "-C", str(project), *arguments], input=text, capture_output=True, text=True,
                              check=True)
    except FileNotFoundError:
        raise NotAcceptable("git is not installed, which finds the version to compare with") from None
    except subprocess.CalledProcessError as error:
        if "not a git repository" in error.stderr:
            raise NotAcceptable(f"{project} is no git repository, so there is no other version; compare with a state "
                                "(--state) or render the real engine's preview (--from-pulumi)") from None
        raise
    return done.stdout
