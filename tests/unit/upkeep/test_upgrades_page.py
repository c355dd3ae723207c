"""docs/upgrades.md: its table is the program's, and its commands are commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from tests import upgrades
from tests.unit.upkeep.test_pages import understood

pytestmark = pytest.mark.unit

TEXT = upgrades.PAGE.read_text(encoding="utf-8")
PROSE = re.sub(r"(?s)<!-- versions -->.*?<!-- /versions -->", "", TEXT)
LINES = [line for block in re.findall(r"(?s)```sh\n(.*?)```", PROSE) for line in block.splitlines()]
COMMANDS = [*LINES, *re.findall(r"`((?:candlefish|aws) [^`]+)`", PROSE)]


def test_the_table_is_what_the_program_says() -> None:
    assert upgrades.page(TEXT) == TEXT, "python -m tests.upgrades --write"


def test_a_version_that_changes_is_seen() -> None:
    other = TEXT.replace("kube-prometheus-stack | ", "kube-prometheus-stack | 1.")
    assert other != TEXT
    assert upgrades.page(other) == TEXT


def test_every_row_leads_to_a_section_and_every_section_is_led_to() -> None:
    sections = {*re.findall(r"(?m)^## (.+)$", TEXT)} - {"In every case", "Versions"}
    assert {row.how for row in upgrades.rows()} == sections


def test_every_package_of_the_program_and_every_action_has_a_row() -> None:
    named = {row.what for row in upgrades.rows()}
    lines = (upgrades.ROOT / "requirements.txt").read_text().splitlines()
    assert {f"package {line.partition('==')[0]}" for line in lines if line and line[0] not in "#-"} <= named
    used = {found for file in (upgrades.ROOT / ".github/workflows").glob("*.yml")
            for found in re.findall(r"uses: (\S+)@", file.read_text())}
    assert {f"action {name}" for name in used} <= named


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("candlefish ")])
def test_every_candlefish_command_is_understood(line: str) -> None:
    program, *arguments = shlex.split(line)
    words, _ = understood(arguments)
    assert line.startswith(f"{program} {words}")


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("aws ")])
def test_every_aws_command_is_one_of_the_services_with_its_arguments(line: str) -> None:
    _, service, operation, *arguments = shlex.split(line)
    model = botocore.session.get_session().get_service_model(service)
    [found] = [name for name in model.operation_names if xform_name(name, "-") == operation]
    members = {xform_name(member, "-") for member in model.operation_model(found).input_shape.members}
    given = {word.removeprefix("--") for word in arguments if word.startswith("--")}
    assert given <= members
    required = {xform_name(member, "-") for member in model.operation_model(found).input_shape.required_members}
    assert required <= given


def test_there_is_no_other_kind_of_command() -> None:
    assert {line.split()[0] for line in COMMANDS} == {"candlefish", "aws"}
    assert len(COMMANDS) >= 14


@pytest.mark.parametrize("path", sorted({*re.findall(r"`([a-z]+/[\w./-]+)`", PROSE)}))
def test_every_file_that_is_named_exists(path: str) -> None:
    if path != "crds/":
        assert (upgrades.ROOT / path).exists() or (upgrades.ROOT / Path(path)).is_dir()


def test_every_setting_that_is_named_exists() -> None:
    settings = upgrades.load_file(upgrades.ROOT / "Pulumi.staging.yaml").model_dump(by_alias=True)
    for section, name in re.findall(r"`(cluster|database|cache|workloads)\.(\w+)`", PROSE):
        assert name in settings[section], f"{section}.{name}"
