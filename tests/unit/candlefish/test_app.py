"""How the command leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from candlefish import app, rehearse
from infra.plans.prices import PriceBookError
from kube.errors import NotFound
from operations.errors import Contested, NotAcceptable
from rehearsal.engine.errors import Cancelled, Locked
from rehearsal.timing.prediction import UnknownFault

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


@pytest.mark.parametrize("verb", app.VERBS)
def test_every_verb_loads_and_has_help(verb: str, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["candlefish", verb, "--help"])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 0
    assert f"candlefish {verb}" in capsys.readouterr().out


def test_help_loads_none_of_the_verbs() -> None:
    """They bring gRPC, boto3 and the rehearsal: a second and a half of a processor."""
    script = ("import sys; from candlefish import app; sys.argv = ['candlefish', '--help']\ntry: app.main()\n"
              "except SystemExit: print(*sys.modules, file=sys.stderr)")
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr.split()
    assert "candlefish.app" in loaded
    assert not {"boto3", "grpc", "httpx", "pulumi", *(f"candlefish.{verb}" for verb in app.VERBS)} & {*loaded}


@pytest.mark.parametrize(("error", "code"), [
    (NotAcceptable("no"), 2), (Contested("no"), 1), (UnknownFault("no"), 2), (Locked("no", Path("lock")), 1),
    (Cancelled("no"), 130), (NotFound("no"), 1), (PriceBookError("no"), 1), (KeyError("a bug"), None)])
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: int | None) -> None:
    assert app._code(error) == code
