"""Each function's archive by itself: its package, what functions share, and an interpreter without any library."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.functions

FUNCTIONS = Path(__file__).parents[2] / "functions"
PACKAGES = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))
SHARED = sorted({path.parent.name for path in FUNCTIONS.glob("*/__init__.py")} - set(PACKAGES))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_imported_without_any_library(package: str, tmp_path: Path) -> None:
    """boto3 is loaded at the first call: nothing that a cold start imports needs more than the standard library."""
    for name in (package, *(() if package == "edge" else SHARED)):
        shutil.copytree(FUNCTIONS / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {package}.handler as h; assert h.handle"
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
