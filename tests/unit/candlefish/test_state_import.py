"""`candlefish rehearse import`: a state in the place of the present one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from candlefish import app

pytestmark = pytest.mark.unit


def test_a_state_is_put_back_and_what_is_none_is_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CANDLEFISH_REHEARSAL_HOME", str(tmp_path))
    home, copy = tmp_path / "stacks" / "development", tmp_path / "copy.json"
    home.mkdir(parents=True)
    (home / "state.json").write_text("{}")
    copy.write_text(json.dumps({"version": 3, "deployment": {"resources": []}}))
    command = ["candlefish", "rehearse", "import", "--stack", "development", "--file"]
    monkeypatch.setattr(sys, "argv", [*command, str(copy)])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code in (0, None)
    assert (home / "state.json").read_text() == copy.read_text()

    monkeypatch.setattr(sys, "argv", [*command, str(tmp_path / "nothing.json")])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 2
    assert "is no deployment of Pulumi" in capsys.readouterr().err
    assert (home / "state.json").read_text() == copy.read_text()
