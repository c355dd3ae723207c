"""Every handler speaks the SDK's names: a misspelt property would be kept, defaulted or compared in vain."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.aws.handler import DATA_SOURCES, HANDLERS
from rehearsal.aws.provider import load_services
from rehearsal.sdk.types import Types

pytestmark = pytest.mark.unit

load_services()


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Types:
    return Types(Path(tmp_path_factory.mktemp("sdk")))


@pytest.mark.parametrize("token", sorted(HANDLERS))
def test_a_handler_names_properties_of_its_type(token: str, types: Types) -> None:
    handler, known = HANDLERS[token], types.get(token)
    inputs, outputs = set(known.inputs), set(known.outputs) | set(known.inputs)
    assert set(handler.kept) - outputs == set(), "kept"
    assert set(handler.documents) - inputs == set(), "documents"
    assert set(handler.aliases) - inputs == set(), "aliases"
    assert set(handler.defaults) - outputs == set(), "defaults"
    if handler.naming is not None:
        assert handler.naming.property in inputs
    if handler.tags_property is not None:
        assert handler.tags_property in inputs, "the type has no tags: tags_property = None"
    else:
        assert "tags" not in inputs, "the type has tags"


def test_data_sources_have_whole_tokens() -> None:
    assert [token for token in DATA_SOURCES if token.count(":") != 2] == []
