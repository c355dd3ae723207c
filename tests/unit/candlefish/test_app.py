"""How the command leaves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from candlefish import app, rehearse

pytestmark = pytest.mark.unit


def test_a_ctrl_c_at_any_point_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rehearse, "Rehearsal", interrupted)
    monkeypatch.setattr(sys, "argv", ["candlefish", "rehearse", "up"])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 130
    assert "candlefish: interrupted" in capsys.readouterr().err


def test_what_was_never_built_is_destroyed_without_starting_anything(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CANDLEFISH_REHEARSAL_HOME", str(tmp_path))
    monkeypatch.setattr(rehearse.Rehearsal, "start", lambda self: pytest.fail("servers were started"))
    monkeypatch.setattr(sys, "argv", ["candlefish", "rehearse", "destroy", "--stack", "development", "--json"])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 0
    document = json.loads(capsys.readouterr().out)
    assert document["changes"] == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": 0}
    assert document["stack"] == "development"
