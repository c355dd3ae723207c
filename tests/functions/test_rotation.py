"""Rotations: whatever fails, and wherever, what is valid stays accepted and the next attempt goes on from there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from cache_rotation import handler as cache_handler
from cache_rotation.tokens import BESIDE, Cache, TokenRotation, draw, settle
from key_rotation import handler as key_handler
from key_rotation.keys import KEY_LENGTH, KeyRotation, accepted
from rotation.steps import CURRENT, PENDING, STEPS, Rotation, RotationError, Secret, run

pytestmark = pytest.mark.functions

HOUR = 3600.0
TOKEN_SECONDS = 24 * 3600
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
Versions = Iterator[str]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


class Interrupted(Exception):
    """The function is killed."""


class Breaking:
    """A client whose n-th call fails, before or after it took effect. Reads count too."""

    def __init__(self, client: Any, calls: list[int], after: bool) -> None:
        self._client, self._calls, self._after = client, calls, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name in ("exceptions", "meta"):
            return found

        def call(**arguments: Any) -> Any:
            self._calls[0] -= 1
            if self._calls[0] == 0 and not self._after:
                raise Interrupted
            answer = found(**arguments)
            if self._calls[0] == 0:
                raise Interrupted
            return answer

        return call


class ElastiCache:
    """Two tokens at most; a modification takes a few looks, and nothing else is taken meanwhile."""

    def __init__(self, token: str, looks: int = 1) -> None:
        self.tokens, self.looks, self._left = [token], looks, 0
        self.calls: list[tuple[str, str]] = []

    def modify_replication_group(self, ReplicationGroupId: str, AuthToken: str, AuthTokenUpdateStrategy: str,
                                 ApplyImmediately: bool) -> None:
        assert self._left == 0, "InvalidReplicationGroupState"
        assert ApplyImmediately
        self.calls.append((AuthTokenUpdateStrategy, AuthToken))
        kept = [self.tokens[-1]] if AuthTokenUpdateStrategy == "ROTATE" else []
        self.tokens = [*kept, AuthToken]
        self._left = self.looks

    def describe_replication_groups(self, ReplicationGroupId: str) -> dict[str, Any]:
        self._left = max(0, self._left - 1)
        return {"ReplicationGroups": [{"Status": "modifying" if self._left else "available",
                                       "PendingModifiedValues": {"AuthTokenStatus": "ROTATING"} if self._left else {}}]}


def steps(client: Any, id: str, version: str, rotation: Rotation, log: Callable[[str], None] = print) -> None:
    for step in STEPS:
        run({"Step": step, "SecretId": id, "ClientRequestToken": version}, client, rotation, log)


def token_of(client: Any, id: str) -> str:
    return str(read(client, id)["auth_token"])


def version(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


# --- the signing keys ------------------------------------------------------------------------------------------------


def sign(key: str, subject: str) -> str:
    """A token of HS256."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
             for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": subject})]
    return ".".join([*parts, hmac.new(key.encode(), ".".join(parts).encode(), hashlib.sha256).hexdigest()])


def verifies(document: dict[str, Any], token: str, now: float) -> bool:
    return any(hmac.compare_digest(sign(key, "s"), token) for key in accepted(document, now))


def new_keys(secrets: Any) -> str:
    return str(secrets.create_secret(Name="candlefish/jwt-key-test", SecretString=json.dumps(
        {"current": "a" * KEY_LENGTH, "previous": ""}))["ARN"])


def read(secrets: Any, id: str, stage: str = CURRENT) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId=id, VersionStage=stage)["SecretString"])
    return document


def test_tokens_signed_before_during_and_after_a_rotation_are_accepted_until_they_expire(secrets: Any) -> None:
    id, now = new_keys(secrets), [NOW]
    rotation = KeyRotation(TOKEN_SECONDS, lambda: now[0])
    documents = [read(secrets, id)]
    issued: list[tuple[float, str]] = []
    for number in range(6):
        stale = documents[-1]
        issued.append((now[0], sign(stale["current"], "s")))  # before
        steps(secrets, id, version(number), rotation)
        fresh = read(secrets, id)
        issued += [(now[0], sign(stale["current"], "s")), (now[0], sign(fresh["current"], "s"))]  # during, by both
        documents.append(fresh)
        for at, token in issued:  # whoever has the old document and whoever has the new one accepts all that lives
            if now[0] - at < TOKEN_SECONDS:
                assert verifies(stale, token, now[0])
                assert verifies(fresh, token, now[0])
        now[0] += 5 * HOUR  # five rotations a day: a leaked key's emergency, not the plan
    now[0] += 2 * TOKEN_SECONDS
    assert len(accepted(documents[-1], now[0])) == 2  # retired keys end with the last token that they signed
    assert len({document["current"] for document in documents}) == 6


def test_the_first_rotation_only_announces_the_next_key(secrets: Any) -> None:
    id = new_keys(secrets)
    rotation = KeyRotation(TOKEN_SECONDS, lambda: NOW)
    steps(secrets, id, version(1), rotation)
    first = read(secrets, id)
    assert (first["current"], first["previous"]) == ("a" * KEY_LENGTH, "")
    steps(secrets, id, version(2), rotation)
    assert (read(secrets, id)["current"], read(secrets, id)["previous"]) == (first["next"], first["current"])


def test_a_document_that_was_never_rotated_keeps_its_previous_key() -> None:
    assert accepted({"current": "c", "previous": "p"}, NOW) == ["c", "p"]


@pytest.mark.parametrize("after", [False, True])
def test_a_key_rotation_killed_at_any_call_leaves_the_old_key_or_has_the_new_one_and_goes_on(
        secrets: Any, after: bool) -> None:
    id = new_keys(secrets)
    rotation = KeyRotation(TOKEN_SECONDS, lambda: NOW)
    steps(secrets, id, version(0), rotation)
    for number in range(1, 40):
        before, calls = read(secrets, id), [number]
        try:
            steps(Breaking(secrets, calls, after), id, version(number), rotation)
        except Interrupted:
            assert read(secrets, id)["current"] in (before["current"], before["next"])
            assert verifies(read(secrets, id), sign(before["current"], "s"), NOW)
        steps(secrets, id, version(number), rotation)
        assert read(secrets, id)["current"] == before["next"]
        if calls[0] > 0:
            break
    else:
        raise AssertionError("a rotation has more than 40 calls")


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda document: document | {"current": "short"}, "shorter"),
    (lambda document: document | {"retired": [], "previous": ""}, "until now would be refused"),
    (lambda document: document | {"next": document["previous"]}, "no new one"),
    (lambda document: document | {"current": "z" * KEY_LENGTH}, "from now on would be refused")])
def test_a_pending_document_that_would_refuse_tokens_never_becomes_current(
        secrets: Any, spoil: Callable[[dict[str, Any]], dict[str, Any]], message: str) -> None:
    id = new_keys(secrets)
    rotation = KeyRotation(TOKEN_SECONDS, lambda: NOW)
    steps(secrets, id, version(1), rotation)
    before = read(secrets, id)
    secrets.put_secret_value(SecretId=id, ClientRequestToken=version(2), VersionStages=[PENDING],
                             SecretString=json.dumps(spoil(rotation.create(before))))
    for step in ("testSecret", "finishSecret"):
        with pytest.raises(RotationError, match=message):
            run({"Step": step, "SecretId": id, "ClientRequestToken": version(2)}, secrets, rotation)
    assert read(secrets, id) == before


def test_steps_delivered_twice_or_after_the_end_change_nothing(secrets: Any) -> None:
    id = new_keys(secrets)
    rotation = KeyRotation(TOKEN_SECONDS, lambda: NOW)
    for step in STEPS:
        event = {"Step": step, "SecretId": id, "ClientRequestToken": version(1)}
        run(event, secrets, rotation)
        once = read(secrets, id, PENDING)
        run(event, secrets, rotation)
        assert read(secrets, id, PENDING) == once
    assert run({"Step": "createSecret", "SecretId": id, "ClientRequestToken": version(1)}, secrets,
               rotation) == "done before"


@pytest.mark.parametrize(("event", "message"), [
    ({"Step": "deleteSecret"}, "unknown step"), ({"Step": "setSecret"}, "no value at AWSPENDING"),
    ({"Step": "finishSecret"}, "no value at AWSPENDING")])
def test_steps_out_of_turn_are_refused(secrets: Any, event: dict[str, str], message: str) -> None:
    id = new_keys(secrets)
    with pytest.raises(RotationError, match=message):
        run({"SecretId": id, "ClientRequestToken": version(1), **event}, secrets,
            KeyRotation(TOKEN_SECONDS, lambda: NOW))


def test_a_secret_that_is_no_object_is_said_without_its_value(secrets: Any) -> None:
    id = secrets.create_secret(Name="s", SecretString="hunter2")["ARN"]
    with pytest.raises(RotationError, match="no JSON object") as caught:
        steps(secrets, id, version(1), KeyRotation(TOKEN_SECONDS, lambda: NOW))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


# --- the cache's tokens ----------------------------------------------------------------------------------------------


def new_cache(secrets: Any) -> tuple[str, ElastiCache]:
    document = {"host": "cache.test", "port": 6379, "auth_token": "t" * 64,
                "url": f"rediss://:{'t' * 64}@cache.test:6379/0"}
    id = secrets.create_secret(Name="cache", SecretString=json.dumps(document))["ARN"]
    return str(id), ElastiCache("t" * 64)


def rotation_of(client: Any, elasticache: Any, id: str, number: int, seconds: float = 600) -> TokenRotation:
    left = [seconds]

    def sleep(pause: float) -> None:
        left[0] -= pause

    return TokenRotation(Secret(client, id), version(number), Cache(elasticache, "g", lambda: left[0], sleep))


def test_both_tokens_are_accepted_until_everyone_has_had_time_to_read_the_new_one(secrets: Any) -> None:
    id, elasticache = new_cache(secrets)
    old = token_of(secrets, id)
    steps(secrets, id, version(1), rotation_of(secrets, elasticache, id, 1))
    new = token_of(secrets, id)
    assert elasticache.tokens == [old, new]
    assert read(secrets, id)["url"] == f"rediss://:{new}@cache.test:6379/0"
    cache, created = Cache(elasticache, "g", lambda: 600, lambda pause: None), datetime.now(UTC).timestamp()
    assert "still needed" in settle(Secret(secrets, id), cache, HOUR, created + HOUR / 2)
    assert elasticache.tokens == [old, new]
    assert "refused from now on" in settle(Secret(secrets, id), cache, HOUR, created + 2 * HOUR)
    assert elasticache.tokens == [new]
    assert settle(Secret(secrets, id), cache, HOUR, created + 3 * HOUR) == "one token only"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("abandoned", [False, True])
def test_a_cache_rotation_killed_at_any_call_never_shuts_the_current_token_out(
        secrets: Any, after: bool, abandoned: bool) -> None:
    id, elasticache = new_cache(secrets)
    for number in range(1, 80):
        calls, before = [number], token_of(secrets, id)
        broken = Breaking(secrets, calls, after)
        try:
            steps(broken, id, version(number), rotation_of(broken, Breaking(elasticache, calls, after), id, number))
        except Interrupted:
            assert {before, token_of(secrets, id)} <= {*elasticache.tokens, before}
            assert token_of(secrets, id) in elasticache.tokens
        if abandoned and token_of(secrets, id) == before:  # an operator gives this rotation up; the next one is another
            Secret(secrets, id).move(PENDING, None)
            if calls[0] <= 0:
                continue
        elasticache._left = 0
        steps(secrets, id, version(number), rotation_of(secrets, elasticache, id, number))
        assert token_of(secrets, id) in elasticache.tokens
        assert before in elasticache.tokens or token_of(secrets, id) == before
        if calls[0] > 0:
            break
    else:
        raise AssertionError("a rotation has more than 80 calls")


def test_a_rotation_that_comes_before_the_former_one_is_settled_drops_only_the_oldest_token(secrets: Any) -> None:
    id, elasticache = new_cache(secrets)
    for number in (1, 2):
        before = token_of(secrets, id)
        steps(secrets, id, version(number), rotation_of(secrets, elasticache, id, number))
        assert elasticache.tokens == [before, token_of(secrets, id)]
    assert [strategy for strategy, _ in elasticache.calls] == ["ROTATE", "SET", "ROTATE"]


def test_a_cache_that_does_not_come_to_rest_in_time_leaves_the_step_to_be_repeated(secrets: Any) -> None:
    id, elasticache = new_cache(secrets)
    elasticache.looks = 50
    with pytest.raises(RotationError, match="still being modified"):
        steps(secrets, id, version(1), rotation_of(secrets, elasticache, id, 1, seconds=100))
    assert token_of(secrets, id) == "t" * 64
    elasticache.looks = elasticache._left = 0
    steps(secrets, id, version(1), rotation_of(secrets, elasticache, id, 1))
    assert elasticache.tokens == ["t" * 64, token_of(secrets, id)]


def test_settling_waits_for_a_rotation_that_is_under_way(secrets: Any) -> None:
    id, elasticache = new_cache(secrets)
    rotation = rotation_of(secrets, elasticache, id, 1)
    for step in ("createSecret", "setSecret"):
        run({"Step": step, "SecretId": id, "ClientRequestToken": version(1)}, secrets, rotation)
    cache = Cache(elasticache, "g", lambda: 600, lambda pause: None)
    assert settle(Secret(secrets, id), cache, 0, NOW * 2) == "a rotation is under way"
    assert len(elasticache.tokens) == 2


def test_no_key_and_no_token_is_ever_logged(secrets: Any, capsys: pytest.CaptureFixture[str]) -> None:
    keys, (id, elasticache) = new_keys(secrets), new_cache(secrets)
    seen: list[str] = []
    steps(secrets, keys, version(1), KeyRotation(TOKEN_SECONDS, lambda: NOW), seen.append)
    steps(secrets, id, version(1), rotation_of(secrets, elasticache, id, 1), seen.append)
    said = "".join(seen) + capsys.readouterr().out
    values = [value for each in (read(secrets, keys), read(secrets, id)) for value in each.values()
              if isinstance(value, str) and len(value) >= KEY_LENGTH]
    assert len(values) == 4
    assert said
    assert not any(value in said for value in values)


def test_drawn_tokens_are_long_different_and_of_characters_that_elasticache_takes() -> None:
    tokens = {draw() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 64 and token.isalnum() for token in tokens)


def test_the_entries_run_the_steps_of_their_secret(secrets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, (id, elasticache) = new_keys(secrets), new_cache(secrets)
    real = boto3.client
    monkeypatch.setattr(boto3, "client", lambda service: elasticache if service == "elasticache" else real(service))
    monkeypatch.setattr(cache_handler.time, "sleep", lambda seconds: None)
    for name, value in (("OVERLAP_SECONDS", "3600"), ("REPLICATION_GROUP_ID", "g"), ("SECRET_ARN", id)):
        monkeypatch.setenv(name, value)

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 600_000

    for step in STEPS:
        for handler, secret in ((key_handler, keys), (cache_handler, id)):
            event = {"Step": step, "SecretId": secret, "ClientRequestToken": version(9)}
            assert handler.handle(event, Context()) == {"outcome": "done"}
    assert cache_handler.handle({"action": "settle"}, Context()) == {"outcome": "both tokens are still needed"}
    assert Secret(real("secretsmanager"), id).version_at(BESIDE) == version(9)
