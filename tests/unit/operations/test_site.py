"""Releases of the static site in memory: killed at every write, two at once, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.plans.edge import Origin
from operations.errors import Contested, NotAcceptable, OperationError
from operations.site.content import RECORD_KEY, Item, read
from operations.site.records import Step
from operations.site.releases import Outcome
from tests.unit.operations.site_world import S3, Died, Fate, World, export

MOST = 60  # writes of one command; it has fewer


@pytest.mark.parametrize("after", [False, True])
def test_a_release_that_dies_at_any_write_is_finished_by_the_same_command(tmp_path: Path, after: bool) -> None:
    old, new = export(tmp_path, "old"), export(tmp_path, "new")
    for write in range(1, MOST):
        world = World()
        world.releases().deploy(export(tmp_path, "older"))
        world.releases().deploy(old)
        try:
            world.releases(Fate(write, after)).deploy(new)
            break
        except Died:
            assert world.shown in ("offline old", "offline new")
        result = world.releases().deploy(new)
        assert (result.colour, result.release) == ("green", new.id), write
        assert world.shown == "offline new", write
        assert world.releases().planned(new) == []
        assert world.releases().rollback().release == old.id, write
        assert world.shown == "offline old", write
    assert write > 10  # four files, four notes, a deletion, the switch, the invalidation


@pytest.mark.parametrize("after", [False, True])
def test_a_release_that_died_does_not_stop_another_one(tmp_path: Path, after: bool) -> None:
    first, bad, good = (export(tmp_path, word) for word in ("first", "bad", "good"))
    for write in range(1, MOST):
        world = World()
        world.releases().deploy(first)
        try:
            world.releases(Fate(write, after)).deploy(bad)
            break
        except Died:
            pass
        assert world.releases().deploy(good).release == good.id, write
        assert world.shown == "offline good", write
        assert world.releases().rollback().release in (first.id, bad.id), write


@pytest.mark.parametrize("after", [False, True])
def test_a_way_back_that_dies_at_any_write_is_finished_by_the_same_command(tmp_path: Path, after: bool) -> None:
    one, two = export(tmp_path, "one"), export(tmp_path, "two")
    for write in range(1, MOST):
        world = World()
        world.releases().deploy(one)
        world.releases().deploy(two)
        try:
            world.releases(Fate(write, after)).rollback()
            break
        except Died:
            pass
        assert world.releases().planned_rollback() in (
            ["switch from blue to green", "invalidate"], ["finish the switch to green: invalidation and checks"], [])
        assert world.releases().rollback().release == one.id, write
        assert world.shown == "offline one", write
        assert world.releases().planned_rollback() == []
        before = world.written()
        assert world.releases().rollback().outcome is Outcome.UNCHANGED
        assert world.written() == before
    assert write > 4


def test_the_same_release_again_writes_nothing(tmp_path: Path) -> None:
    world, release = World(), export(tmp_path, "one")
    first = world.releases().deploy(release)
    assert (first.outcome, first.colour, first.written, first.deleted) == (Outcome.LIVE, "green", 5, 0)
    before, version = world.written(), world.cloudfront.version
    assert world.releases().deploy(release).outcome is Outcome.UNCHANGED
    assert (world.written(), world.cloudfront.version, len(world.cloudfront.references)) == (before, version, 1)


def test_a_release_whose_live_files_somebody_changed_comes_anew(tmp_path: Path) -> None:
    world, release = World(), export(tmp_path, "one")
    world.releases().deploy(release)
    del world.s3.objects["green"]["_next/static/one.js"]
    result = world.releases().deploy(release)
    assert (result.outcome, result.colour) == (Outcome.LIVE, "blue")


def test_a_release_that_does_not_answer_after_the_switch_is_taken_back(tmp_path: Path) -> None:
    world, good, bad = World(), export(tmp_path, "good"), export(tmp_path, "bad")
    world.releases().deploy(good)
    world.edge.broken = bad.id
    result = world.releases().deploy(bad)
    assert (result.outcome, result.release) == (Outcome.ROLLED_BACK, good.id)
    assert result.reason == f"{bad.id} does not answer"
    assert world.shown == "offline good"
    status = world.releases().status()
    assert (status["live"], status["colours"]["blue"]["step"]) == ("green", Step.WITHDRAWN)
    assert world.releases().rollback().outcome is Outcome.UNCHANGED


def test_a_release_stops_when_another_one_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, one, two = World(), export(tmp_path, "one"), export(tmp_path, "two")
    put = S3.put_object

    def meddled(self: S3, Bucket: str, Key: str, Body: bytes, **more: Any) -> Any:
        answer = put(self, Bucket, Key, Body, **more)
        if Key == RECORD_KEY and json.loads(Body)["step"] == Step.UPLOADING:
            monkeypatch.undo()
            world.releases().deploy(two)
        return answer

    monkeypatch.setattr(S3, "put_object", meddled)
    with pytest.raises(Contested, match=f"release {two.id} is live there"):
        world.releases().deploy(one)
    assert world.shown == "offline two"


def test_only_a_whole_release_that_was_live_is_a_way_back(tmp_path: Path) -> None:
    world = World()
    world.releases().deploy(export(tmp_path, "one"))
    assert world.releases().rollback().release == ""  # what the environment began with
    assert world.shown == "first"
    world.releases().deploy(export(tmp_path, "two"))
    with pytest.raises(Died):
        world.releases(Fate(3)).deploy(export(tmp_path, "three"))
    with pytest.raises(OperationError, match=r"blue is no way back: its release \w+ is uploading and was never live"):
        world.releases().rollback()
    world.releases().deploy(export(tmp_path, "three"))
    world.s3.objects["green"]["_next/static/two.js"]["ChecksumSHA256"] = "another"
    gone = r"1 files of its release are gone or changed, such as _next/static/two\.js"
    with pytest.raises(OperationError, match=gone):
        world.releases().rollback()


def test_behaviours_that_lead_to_both_colours_are_not_guessed_about(tmp_path: Path) -> None:
    world = World()
    world.cloudfront.targets[1] = Origin.SITE_GREEN_FIRST.value
    with pytest.raises(OperationError, match="lead to site-blue-first and site-green-first; they must all lead to one"):
        world.releases().deploy(export(tmp_path, "one"))


def test_a_record_that_somebody_spoilt_is_told(tmp_path: Path) -> None:
    world = World()
    world.s3.objects["green"][RECORD_KEY] = {"Body": b"{}", "ETag": '"1"'}
    with pytest.raises(OperationError, match=r"s3://green/\.candlefish/release\.json can't be read"):
        world.releases().deploy(export(tmp_path, "one"))


@pytest.mark.parametrize(("key", "content_type", "cache"), [
    ("_next/static/chunks/a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ("_next/static/release.json", "application/json; charset=utf-8", "no-cache"),
    ("_next/static/media/font.woff2", "font/woff2", "public, max-age=31536000, immutable"),
    ("_next/static/physics.wasm", "application/wasm", "public, max-age=31536000, immutable"),
    ("offline/index.html", "text/html; charset=utf-8", "public, max-age=300"),
    ("offline/picture.PNG", "image/png", "public, max-age=300"),
    ("offline/logo.svg", "image/svg+xml; charset=utf-8", "public, max-age=300"),
    ("offline/unknown", "application/octet-stream", "public, max-age=300")])
def test_objects_have_the_type_and_the_age_of_their_kind(key: str, content_type: str, cache: str) -> None:
    item = Item(key, "00")
    assert (item.content_type, item.cache_control) == (content_type, cache)


def test_the_same_files_are_the_same_release_and_others_are_another(tmp_path: Path) -> None:
    one = export(tmp_path, "one")
    assert export(tmp_path, "one").id == one.id
    (tmp_path / "one/_next/static/shared.css").write_text("other")
    assert read(tmp_path / "one").id != one.id


def test_a_folder_that_is_no_static_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAcceptable, match="is no folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "index.html").write_text("")
    with pytest.raises(NotAcceptable, match=r"no file below _next/static/\* or offline/\*"):
        read(tmp_path)
    (tmp_path / "_next/static").mkdir(parents=True)
    (tmp_path / "_next/static/release.json").write_text("")
    with pytest.raises(NotAcceptable, match="a name that releases use for themselves"):
        read(tmp_path)
