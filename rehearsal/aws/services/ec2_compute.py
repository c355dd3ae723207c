"""Launch templates, and the data source that finds a machine image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.ec2_common import look_up, refers, replace_tags, tag_specifications, tags_now
from rehearsal.aws.services.ec2_network import filters_of
from rehearsal.aws.services.shapes import absent_is_fine, camel, name_of, pairs, pascal, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

# The provider's spelling → the API's, where it is not the same word in PascalCase.
_RENAMED = {"vpcSecurityGroupIds": "SecurityGroupIds", "securityGroupNames": "SecurityGroups",
            "enclaveOptions": "EnclaveOptions"}
_BACK = {api: name for name, api in _RENAMED.items()}
_NOT_DATA = frozenset({"name", "namePrefix", "description", "defaultVersion", "updateDefaultVersion", "tags", "tagsAll",
                       "region"})
# Booleans that the provider holds as strings ("true", "false", "").
_STRINGS = frozenset({"encrypted", "deleteOnTermination", "associatePublicIpAddress", "associateCarrierIpAddress",
                      "ebsOptimized", "primaryIpv6"})


@resource
class LaunchTemplate(Handler):
    type = "aws:ec2/launchTemplate:LaunchTemplate"
    naming = Naming(maximum=128)
    kept = ("namePrefix", "updateDefaultVersion")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("security-group", "vpcSecurityGroupIds", inputs.get("vpcSecurityGroupIds"))
        for index, interface in enumerate(inputs.get("networkInterfaces") or ()):
            where = f"networkInterfaces[{index}]"
            yield from refers("security-group", f"{where}.securityGroups", interface.get("securityGroups"))
            yield from refers("subnet", f"{where}.subnetId", interface.get("subnetId"))
        for index, device in enumerate(inputs.get("blockDeviceMappings") or ()):
            key = (device.get("ebs") or {}).get("kmsKeyId")
            if key:
                yield _references.kms_key(f"blockDeviceMappings[{index}].ebs.kmsKeyId", key)

    def create(self, call: Call, inputs: Properties) -> str:
        description = {"VersionDescription": inputs["description"]} if inputs.get("description") else {}
        return str(call.client("ec2").create_launch_template(
            LaunchTemplateName=name_of(call, inputs), LaunchTemplateData=_data(inputs), **description,
            **tag_specifications(call, "launch-template"))["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        template = look_up(call, "launch-template", id)
        if template is None:
            return None
        version = call.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=id, Versions=["$Latest"])["LaunchTemplateVersions"][0]
        return {"arn": call.arn("ec2", f"launch-template/{id}"), "name": template["LaunchTemplateName"],
                "defaultVersion": template["DefaultVersionNumber"], "latestVersion": template["LatestVersionNumber"],
                "description": version.get("VersionDescription", ""), **_properties(version["LaunchTemplateData"]),
                "tags": tags_now(call, id)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("ec2")
        latest: int | None = None
        if changed - (_NOT_DATA - {"description"}):
            description = {"VersionDescription": new["description"]} if new.get("description") else {}
            latest = client.create_launch_template_version(
                LaunchTemplateId=id, LaunchTemplateData=_data(new),
                **description)["LaunchTemplateVersion"]["VersionNumber"]
        default = latest if new.get("updateDefaultVersion") else (
            new.get("defaultVersion") if "defaultVersion" in changed else None)
        if default is not None:
            client.modify_launch_template(LaunchTemplateId=id, DefaultVersion=str(default))
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if look_up(call, "launch-template", id) is not None:
            with absent_is_fine():
                call.client("ec2").delete_launch_template(LaunchTemplateId=id)


def _data(inputs: Properties) -> dict[str, Any]:
    """LaunchTemplateData of the inputs."""
    return {_RENAMED.get(name, name[:1].upper() + name[1:]): _to_api(name, value)
            for name, value in inputs.items()
            if name not in _NOT_DATA and value not in (None, "", [], {}) and not name.startswith("__")}


def _to_api(name: str, value: Any) -> Any:
    if name == "tagSpecifications":
        return [{"ResourceType": item["resourceType"], "Tags": pairs(item.get("tags") or {})} for item in value]
    if name == "networkInterfaces":
        value = [{("groups" if key == "securityGroups" else key): item for key, item in interface.items()}
                 for interface in value]
    return pascal(_booleans(name, value))


def _booleans(name: str, value: Any) -> Any:
    """Strings that stand for booleans as booleans; empty ones, which mean "not set", are left out."""
    if isinstance(value, dict):
        return {key: _booleans(key, item) for key, item in value.items()
                if item is not None and not (key in _STRINGS and item == "")}
    if isinstance(value, list):
        return [_booleans(name, item) for item in value]
    return value == "true" if name in _STRINGS and isinstance(value, str) else value


def _properties(data: dict[str, Any]) -> Properties:
    properties: Properties = {_BACK.get(key, key[:1].lower() + key[1:]): value for key, value in data.items()}
    specifications = [{"resourceType": item["ResourceType"], "tags": tags_of(item["Tags"])}
                      for item in properties.pop("tagSpecifications", ())
                      if item["ResourceType"] != "launch-template"]  # the emulator puts the template's own there
    for interface in properties.get("networkInterfaces", ()):
        if "Groups" in interface:
            interface["SecurityGroups"] = interface.pop("Groups")
    properties = {name: _strings(name, camel(value)) for name, value in properties.items()}
    return {**properties, **({"tagSpecifications": specifications} if specifications else {})}


def _strings(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strings(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strings(name, item) for item in value]
    return str(value).lower() if name in _STRINGS and isinstance(value, bool) else value


@data_source("aws:ec2/getAmi:getAmi")
def get_ami(call: Call, arguments: Properties) -> Properties:
    owners = {"Owners": arguments["owners"]} if arguments.get("owners") else {}
    images = call.client("ec2").describe_images(Filters=filters_of(arguments), **owners)["Images"]
    if arguments.get("nameRegex"):
        pattern = re.compile(arguments["nameRegex"])
        images = [image for image in images if pattern.search(image.get("Name", ""))]
    if not images:
        raise ProviderError("Your query returned no results. Please change your search criteria and try again.")
    if len(images) > 1 and not arguments.get("mostRecent"):
        raise ProviderError("Your query returned more than one result. Please try a more specific search criteria, "
                            "or set `mostRecent` to true.")
    image = max(images, key=lambda found: str(found.get("CreationDate", "")))
    names = ("architecture", "creationDate", "description", "hypervisor", "imageId", "imageLocation", "imageType",
             "name", "ownerId", "platform", "platformDetails", "public", "rootDeviceName", "rootDeviceType", "state",
             "usageOperation", "virtualizationType", "enaSupport", "kernelId", "ramdiskId", "sriovNetSupport",
             "imageOwnerAlias")
    plain = camel({key: value for key, value in image.items() if not isinstance(value, (list, dict))})
    return {**{name: plain.get(name, "") for name in names}, "id": image["ImageId"], "region": call.region,
            "arn": call.arn("ec2", f"image/{image['ImageId']}", account=""), "tags": tags_of(image.get("Tags")),
            "filters": arguments.get("filters"), "owners": arguments.get("owners"),
            "mostRecent": arguments.get("mostRecent", False), "nameRegex": arguments.get("nameRegex"),
            "blockDeviceMappings": [
                {"deviceName": device["DeviceName"], "noDevice": "", "virtualName": device.get("VirtualName", ""),
                 "ebs": {key: str(value).lower() if isinstance(value, bool) else str(value)
                         for key, value in camel(device.get("Ebs", {})).items()}}
                for device in image.get("BlockDeviceMappings", ())],
            "productCodes": [], "stateReason": {"code": "UNSET", "message": "UNSET"}}
