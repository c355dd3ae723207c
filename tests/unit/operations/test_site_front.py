"""What the front door is asked of a release, and what is said of it."""

from __future__ import annotations

import json

import pytest

from operations.errors import Failed
from operations.site.front import ATTEMPTS, Front


class Door(Front):
    """answers: key → the statuses that it gives, the last one for ever."""

    def __init__(self, body: str = "", **answers: list[int]) -> None:
        self.pauses: list[float] = []
        super().__init__("https://site.example/", self.pauses.append)
        self._body, self._answers = body, {key.replace("__", "/"): list(given) for key, given in answers.items()}
        self.asked: list[str] = []

    def _ask(self, method: str, key: str) -> tuple[int, bytes]:
        self.asked.append(key)
        left = self._answers.get(key, [200])
        return (left.pop(0) if len(left) > 1 else left[0]), self._body.encode()


def test_only_what_did_not_answer_is_asked_again() -> None:
    door = Door(offline__a=[404, 200])
    door.expect_all(["offline/a", "offline/b", "not-served"])
    assert sorted(door.asked) == ["offline/a", "offline/a", "offline/b", "offline/index.html"]
    assert sum(door.pauses) == 1


def test_what_never_answers_is_named() -> None:
    door = Door(offline__a=[0], offline__b=[403], offline__c=[404], offline__d=[500])
    with pytest.raises(Failed, match=r"/offline/a does not answer; /offline/b answers 403; .*, and 1 more") as error:
        door.expect_all([f"offline/{each}" for each in "abcd"])
    assert "https://site.example:" in str(error.value)
    assert sum(door.pauses) == ATTEMPTS - 1


@pytest.mark.parametrize(("body", "said"), [
    (json.dumps({"release": "old"}), "is of release old, not new"), ("<html>", "is of release unknown, not new")])
def test_a_release_that_is_not_the_one_is_named(body: str, said: str) -> None:
    with pytest.raises(Failed, match=said):
        Door(body).expect_answering("new")
    Door(json.dumps({"release": "new"})).expect_own("new")
