"""What holds for all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import botocore.loaders
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# The same examples on every run, on slow and busy machines too; HYPOTHESIS_PROFILE=search draws others, and more.
settings.register_profile("same", derandomize=True, max_examples=50, deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# A shell that starts the tests in the background has Ctrl-C ignored, and so would every command that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# boto3 reads a service's model anew in every session, and every mock of AWS begins with one.
_LOADER = botocore.loaders.create_loader()
botocore.loaders.create_loader = lambda search_path_string=None: _LOADER

# Files that use one environment, or the same previews, one after another: they stay on one worker.
_TOGETHER = {
    "test_tools": "development", "test_traffic": "development", "test_upkeep": "development",
    "test_controls": "previews", "test_differences": "previews", "test_program": "previews",
    "test_requirements": "previews", "test_traps": "previews", "test_upgrades": "previews"}
# What takes longest begins first, so that no worker ends long after the others.
_FIRST = ("development", "test_faults", "previews")


def _group(path: str) -> str:
    """Of a file of tests: what it shares with others, or itself."""
    stem = Path(path).stem
    return _TOGETHER.get(stem, stem if stem in _FIRST else path)


class _ByGroup(LoadScopeScheduling):
    """As `--dist loadfile`, with groups of files. (xdist 3.8: `--dist loadgroup` has no effect in pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByGroup | None:
    return _ByGroup(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        group = _group(str(item.path))
        return _FIRST.index(group) if group in _FIRST else len(_FIRST)

    items.sort(key=place)
