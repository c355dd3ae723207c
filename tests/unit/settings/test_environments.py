"""The program knows environments by their settings only: outside of them no environment is named."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.stacks import STACKS

pytestmark = pytest.mark.unit

INFRA = Path(__file__).parents[3] / "infra"
MODULES = sorted(path for path in INFRA.rglob("*.py") if "settings" not in path.relative_to(INFRA).parts)
NAMES = {*STACKS} - {"recovery"}  # which is a word of its own: of rules, events, modules
ASKED = {"environment", "stack"}


def test_no_module_outside_the_settings_names_an_environment() -> None:
    """Neither to compare with, nor as the key of a table, nor as a default."""
    assert len(MODULES) > 80
    assert [f"{path.relative_to(INFRA)}:{node.lineno} {node.value!r}" for path in MODULES
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and node.value in NAMES] == []


def test_no_module_outside_the_settings_decides_by_the_environments_name() -> None:
    """No comparison, membership or match of something called `environment` or `stack`."""
    assert [f"{path.relative_to(INFRA)}:{node.lineno}" for path in MODULES
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for asked in _asked(node) if _last_name(asked) in ASKED] == []


def _asked(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Match):
        return [node.subject]
    if isinstance(node, ast.Subscript):
        return [node.slice]
    return []


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
