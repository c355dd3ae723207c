"""Secrets: encrypted in the state, masked wherever something is shown."""

from __future__ import annotations

import json

import pytest

from rehearsal.engine.config import StackConfig
from rehearsal.engine.crypt import Crypter
from rehearsal.engine.errors import ProgramFailed, StepFailed, WrongPassphrase
from rehearsal.engine.results import EventKind
from rehearsal.engine.values import Secret
from tests.rehearsal.engine.engine_harness import Stack

pytestmark = pytest.mark.rehearsal

PASSWORD = "swordfish-4711"
PROGRAM = f"""
    a = Thing("a", password=pulumi.Output.secret("{PASSWORD}"), nested={{"deep": pulumi.Output.secret("{PASSWORD}")}})
    b = Thing("b", Options(additional_secret_outputs=["generated"]), value=a.id)
    pulumi.export("password", pulumi.Output.secret("{PASSWORD}"))
    pulumi.export("generated", b.generated)
"""


def test_the_state_holds_no_secret_in_plain_text(stack: Stack) -> None:
    result = stack.up(PROGRAM)
    text = stack.state.read_text()
    assert PASSWORD not in text
    assert "generated-b-2" not in text
    assert result.outputs["password"] == Secret(PASSWORD)
    assert result.outputs["generated"] == Secret("generated-b-2")
    salt = json.loads(text)["deployment"]["secrets_providers"]["state"]["salt"]
    kept = stack.resource("a")["inputs"]["password"]
    assert kept["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"
    assert Crypter("correct horse", salt).decrypt(kept["ciphertext"]) == json.dumps(PASSWORD)


def test_a_provider_sees_plain_values(stack: Stack) -> None:
    stack.up(PROGRAM)
    assert stack.world.objects["a-1"]["inputs"] == {"password": PASSWORD, "nested": {"deep": PASSWORD}}


def test_an_unchanged_secret_keeps_its_ciphertext(stack: Stack) -> None:
    stack.up(PROGRAM)
    before = stack.resource("a")["inputs"]["password"]
    stack.up(PROGRAM + '\n    Thing("c")')
    assert stack.resource("a")["inputs"]["password"] == before
    bytes_before = stack.state.read_bytes()
    stack.up()
    assert stack.state.read_bytes() == bytes_before


def test_a_changed_secret_shows_that_it_changed_and_not_what_it_is(stack: Stack) -> None:
    stack.up(PROGRAM)
    result = stack.preview(PROGRAM.replace(PASSWORD, "marlin-0815"))
    step = next(step for step in result.steps if step.name == "a")
    assert [(change.path, change.before, change.after) for change in step.diff] == [
        ("nested", {"deep": "[secret]"}, {"deep": "[secret]"}), ("password", "[secret]", "[secret]")]


def test_known_secrets_are_masked_when_the_program_prints_them_or_dies_of_them(stack: Stack) -> None:
    stack.config = {"demo:token": PASSWORD}
    stack.secret_keys = frozenset({"demo:token"})
    with pytest.raises(ProgramFailed) as caught:
        stack.up("""
            token = pulumi.Config().require_secret("token")
            print("plain:", pulumi.Config().require("token"), flush=True)
            pulumi.log.warn("logged: " + pulumi.Config().require("token"))
            raise ValueError("died of " + pulumi.Config().require("token"))
        """)
    shown = "\n".join([str(caught.value), *(event.message for event in stack.events)])
    assert PASSWORD not in shown
    assert "plain: [secret]" in shown
    assert "logged: [secret]" in shown
    assert "died of [secret]" in shown


def test_failures_of_a_provider_are_masked(stack: Stack) -> None:
    stack.up(PROGRAM)
    with pytest.raises(StepFailed) as caught:
        stack.up(f'a = Named("a", name=pulumi.Output.secret("{PASSWORD}"))\n'
                 f'b = Named("b", Options(depends_on=[a]), name="{PASSWORD}")')
    assert "the name [secret] is taken" in str(caught.value)
    assert not any(PASSWORD in event.message for event in stack.events if event.kind is EventKind.FAILED)


def test_another_passphrase_is_told_before_anything_happens(stack: Stack) -> None:
    stack.up(PROGRAM)
    stack.calls()
    engine = stack.engine()
    engine.state = type(engine.state)(stack.state, "wrong horse")
    with pytest.raises(WrongPassphrase, match="incorrect passphrase"):
        engine.up()
    assert stack.calls() == []


def test_structured_and_secure_configuration_reaches_the_program_as_the_cli_passes_it(stack: Stack) -> None:
    crypter = Crypter("correct horse")
    hidden = crypter.encrypt(PASSWORD)
    (stack.directory / "Pulumi.yaml").write_text("name: demo\nruntime: python\nconfig:\n  size: {default: 3}\n")
    (stack.directory / "Pulumi.dev.yaml").write_text(
        f"encryptionsalt: {crypter.salt_state}\nconfig:\n  demo:flag: true\n  fake:region: north\n"
        f"  demo:tree:\n    a: [1, {{secure: {hidden}}}]\n")
    config = StackConfig.load(stack.directory, "dev", "correct horse")
    assert config.secret_keys == {"demo:tree"}
    stack.program("""
        config = pulumi.Config()
        pulumi.export("tree", config.require_secret_object("tree"))
        pulumi.export("flag", config.require_bool("flag"))
        pulumi.export("size", config.require_int("size"))
        pulumi.export("region", pulumi.runtime.invoke("fake:index:get", {}).value["region"])
    """)
    engine = stack.engine()
    engine.config = config
    outputs = engine.up().outputs
    assert outputs["tree"] == Secret({"a": [1, PASSWORD]})
    assert (outputs["flag"], outputs["size"], outputs["region"]) == (True, 3, "north")
    assert json.loads(stack.state.read_text())["deployment"]["secrets_providers"]["state"]["salt"] \
        == crypter.salt_state
