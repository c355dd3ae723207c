"""Values on the wire and in the state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.engine.crypt import Crypter
from rehearsal.engine.errors import WrongPassphrase
from rehearsal.engine.masking import Masker, shown
from rehearsal.engine.state import Codec, State, read_state
from rehearsal.engine.values import UNKNOWN, Archive, Asset, ResourceReference, Secret
from rehearsal.engine.wire import (
    SIGNATURE,
    UNKNOWN_TEXT,
    Decoder,
    contains_unknown,
    decode,
    encode,
    mark_secrets,
    plain,
    portable,
)

pytestmark = pytest.mark.unit

CRYPTER = Crypter("pass", rounds=10)
SCALARS = st.none() | st.booleans() | st.integers(-2**50, 2**50) | st.floats(allow_nan=False, allow_infinity=False) \
    | st.text(max_size=8).filter(lambda text: text != UNKNOWN_TEXT)
KEYS = st.text(max_size=6).filter(lambda key: key != SIGNATURE)
SPECIAL = st.just(UNKNOWN) | st.builds(ResourceReference, st.just("urn:pulumi:s::p::t::n"), st.just("id")) \
    | st.builds(Asset, text=st.text(max_size=5), hash=st.just("ab"))


def values(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
                        | st.builds(Secret, inner.filter(lambda value: not isinstance(value, Secret))), max_leaves=8)


def normal(value: Any) -> Any:
    """The wire knows doubles only; whole ones arrive as ints."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Secret):
        return Secret(normal(value.value))
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    return [normal(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(KEYS, values(SCALARS | SPECIAL), max_size=4))
def test_what_is_encoded_is_decoded_as_it_was(properties: dict[str, Any]) -> None:
    assert decode(encode(properties)) == normal(properties)


@given(st.dictionaries(KEYS, values(SCALARS), max_size=4))
def test_output_values_carry_the_same(properties: dict[str, Any]) -> None:
    assert decode(encode(properties, outputs=True)) == normal(properties)


@given(st.dictionaries(KEYS, values(SCALARS | SPECIAL.filter(lambda value: value is not UNKNOWN)), max_size=4))
def test_the_state_gives_back_what_it_got(properties: dict[str, Any]) -> None:
    codec = Codec(CRYPTER)
    state = State("urn:pulumi:s::p::t:t:t::n", "t:t:t", True, id="1", inputs=properties)
    raw = json.loads(state.json(codec))
    assert read_state(raw, Codec(CRYPTER)).inputs == properties


def test_unknowns_secrets_and_their_dependencies_are_told_apart() -> None:
    decoder = Decoder()
    output = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "secret": True, "dependencies": ["urn:a"]}
    struct = encode({"a": UNKNOWN_TEXT, "b": output})
    assert decoder.properties(struct) == {"a": UNKNOWN, "b": Secret(UNKNOWN)}
    assert decoder.dependencies == {"urn:a"}
    assert contains_unknown({"b": [Secret({"c": UNKNOWN})]})


def test_receivers_that_know_no_secrets_get_plain_values() -> None:
    reference = ResourceReference("urn:x", "the-id")
    assert decode(encode({"a": Secret(1), "b": reference}, secrets=False, resources=False)) == {"a": 1, "b": "the-id"}


def test_outputs_are_secret_where_the_inputs_are() -> None:
    inputs = {"a": Secret(1), "b": {"c": Secret(2), "d": 3}, "e": [{"f": Secret(4)}], "g": 5}
    outputs = {"a": 1, "b": {"c": 2, "d": 3}, "e": [{"f": 4}], "g": 5, "h": 6}
    assert mark_secrets(outputs, inputs) == {
        "a": Secret(1), "b": {"c": Secret(2), "d": 3}, "e": Secret([{"f": 4}]), "g": 5, "h": 6}


def test_content_has_absolute_paths_for_providers_and_relative_ones_in_the_state(tmp_path: Path) -> None:
    value = {"a": [Asset(path="x/y", hash="1")], "b": Archive(assets={"in": Asset(path="z")})}
    seen = plain(value, tmp_path)
    assert seen["a"][0].path == str(tmp_path / "x/y")
    assert portable(seen, tmp_path) == value


def test_content_is_hashed_over_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("hello")
    folder = decode(encode({"v": Archive(path="d")}), tmp_path)["v"]
    listed = decode(encode({"v": Archive(assets={"a.txt": Asset(text="hello")})}), tmp_path)["v"]
    renamed = decode(encode({"v": Archive(assets={"b.txt": Asset(text="hello")})}), tmp_path)["v"]
    assert folder.hash == listed.hash != renamed.hash


def test_the_passphrase_format_is_pulumis() -> None:
    """Salt and text were made with another implementation of the same format (PBKDF2, AES-GCM of pyca)."""
    import base64

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    salt, nonce = bytes(range(8)), bytes(range(12))
    key = PBKDF2HMAC(hashes.SHA256(), 32, salt, 1_000_000).derive(b"pass")

    def spelled(text: str) -> str:
        sealed = AESGCM(key).encrypt(nonce, text.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    salted = f"v1:{base64.b64encode(salt).decode()}:{spelled('pulumi')}"
    assert Crypter("pass", salted).decrypt(spelled('"hush"')) == '"hush"'
    assert Crypter("pass", salted).salt_state == salted
    with pytest.raises(WrongPassphrase):
        Crypter("fail", salted).decrypt(spelled('"hush"'))


def test_equal_secrets_keep_their_ciphertext_and_changed_ones_do_not() -> None:
    codec = Codec(CRYPTER)
    state = State("urn:pulumi:s::p::t:t:t::n", "t:t:t", True, inputs={"a": Secret("x"), "b": Secret("y")})
    first = json.loads(state.json(codec))
    again = Codec(CRYPTER)
    read = read_state(first, again)
    read.revise(inputs={"a": Secret("x"), "b": Secret("z")})
    second = json.loads(read.json(again))
    assert first["inputs"]["a"] == second["inputs"]["a"]
    assert first["inputs"]["b"] != second["inputs"]["b"]


def test_fields_that_this_engine_does_not_know_survive() -> None:
    raw = {"urn": "urn:pulumi:s::p::t:t:t::n", "custom": True, "type": "t:t:t", "sourcePosition": "project:///x"}
    codec = Codec(CRYPTER)
    assert json.loads(read_state(raw, codec).json(codec)) == raw


def test_masking_covers_lines_and_escapes_and_leaves_short_words_alone() -> None:
    masker = Masker()
    masker.learn({"a": Secret("-----BEGIN-----\nabcdefghijkl\n-----END-----"), "b": [Secret('say "hi"')],
                  "c": Secret("no"), "d": Secret({"password": "inner-value", "cluster": "candlefish"}),
                  "e": Secret(["listed-value"])})
    assert masker.mask("x abcdefghijkl y") == "x [secret] y"
    assert masker.mask(json.dumps({"k": 'say "hi"'})) == '{"k": "[secret]"}'
    assert masker.mask("no news, inner-value, listed-value") == "no news, [secret], [secret]"
    assert masker.mask("candlefish") == "candlefish"
    assert shown({"a": Secret(1), "b": [UNKNOWN]}) == {"a": "[secret]", "b": ["[unknown]"]}
