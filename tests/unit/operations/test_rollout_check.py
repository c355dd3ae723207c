"""When the health check from inside the cluster begins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from operations.rollout import checks
from operations.rollout.bluegreen import BlueGreen
from operations.rollout.waits import Waits

pytestmark = pytest.mark.unit


def test_the_health_check_asks_the_colours_service_once_it_has_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pods were ready, and the EndpointSlices late: a healthy release was taken back."""
    seen: list[Any] = []
    slices = iter([{}, {"website-green-1": False}, {"website-green-1": True}])

    def endpoints(service: str) -> dict[str, bool]:
        found = next(slices)
        seen.append((service, found))
        return found

    monkeypatch.setattr(checks, "from_inside", lambda *arguments: seen.append("asked"))
    cluster = SimpleNamespace(target=SimpleNamespace(service=SimpleNamespace(name="website")), endpoints=endpoints)
    journal = SimpleNamespace(record=SimpleNamespace(idle="green"))
    waits = Waits(lambda: None, pause=lambda seconds: None)
    BlueGreen(cast(Any, cluster), cast(Any, journal), cast(Any, None), waits, cast(Any, None), print, 0.0).check()
    assert seen == [("website-green", {}), ("website-green", {"website-green-1": False}),
                    ("website-green", {"website-green-1": True}), "asked"]
