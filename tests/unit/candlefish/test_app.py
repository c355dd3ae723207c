"""How the command leaves."""

from __future__ import annotations

import sys

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
