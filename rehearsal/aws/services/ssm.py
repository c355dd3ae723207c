"""SSM: parameters, by moto."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, pairs, present, refused, retag, tag_map, unless
from rehearsal.engine.values import Properties

GONE = "ParameterNotFound"
_STANDARD, _ADVANCED = 4096, 8192  # bytes of a value, by tier (PutParameter, API reference)
_RESERVED = re.compile(r"^/?(aws|ssm)", re.IGNORECASE)


@resource
class Parameter(Handler):
    """The id is the name. `insecureValue` is what `value` is, without being a secret."""

    type = "aws:ssm/parameter:Parameter"
    naming = Naming("name", maximum=2048)
    defaults = {"dataType": "text", "tier": "Standard"}
    kept = ("overwrite", "valueWo", "valueWoVersion", "arn")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"keyId": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        name = inputs["name"]
        if _RESERVED.match(name) or not re.fullmatch(r"[a-zA-Z0-9_.\-/]+", name) or ("/" in name and name[0] != "/"):
            raise refused("ValidationException", f"Parameter name {name!r}: letters, digits and _.-/ with a leading / "
                          "before a path; it can't begin with aws or ssm.", "PutParameter")
        self._put(call, inputs, Tags=call.tag_list)
        return str(name)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("ssm")
        answer = found(lambda: client.get_parameter(Name=id, WithDecryption=True), GONE)
        if answer is None:
            return None
        parameter = answer["Parameter"]
        described = client.describe_parameters(ParameterFilters=[
            {"Key": "Name", "Option": "Equals", "Values": [id]}])["Parameters"][0]
        open_value = known.get("insecureValue") is not None and parameter["Type"] != "SecureString"
        return {
            "arn": parameter["ARN"], "name": id, "type": parameter["Type"], "version": parameter["Version"],
            "insecureValue" if open_value else "value": parameter["Value"],
            "dataType": parameter.get("DataType") or "text", "tier": described.get("Tier") or "Standard",
            **present(description=described.get("Description") or None, keyId=described.get("KeyId"),
                      allowedPattern=described.get("AllowedPattern") or None),
            "tags": tag_map(client.list_tags_for_resource(ResourceType="Parameter", ResourceId=id)["TagList"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("ssm")
        if changed - {"tags", "overwrite"}:
            self._put(call, {**new, "name": id}, Overwrite=True)
        if "tags" in changed:
            current = tag_map(client.list_tags_for_resource(ResourceType="Parameter", ResourceId=id)["TagList"])
            retag(call, current,
                  lambda tags: client.add_tags_to_resource(ResourceType="Parameter", ResourceId=id, Tags=pairs(tags)),
                  lambda keys: client.remove_tags_from_resource(ResourceType="Parameter", ResourceId=id, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("ssm").delete_parameter(Name=id)

    def _put(self, call: Call, inputs: Properties, **more: object) -> None:
        value = inputs.get("insecureValue") or inputs.get("value") or inputs.get("valueWo") or ""
        tier = inputs.get("tier") or "Standard"
        limit = _STANDARD if tier == "Standard" else _ADVANCED
        if not value or len(value.encode()) > limit:
            raise refused("ValidationException", f"The value of {inputs['name']} has {len(value.encode())} bytes; a "
                          f"parameter of the tier {tier} has 1 to {limit}.", "PutParameter")
        call.client("ssm").put_parameter(
            Name=inputs["name"], Type=inputs["type"], Value=value, Tier=tier, **more, **present(
                Description=inputs.get("description"), KeyId=inputs.get("keyId"), DataType=inputs.get("dataType"),
                AllowedPattern=inputs.get("allowedPattern")))
