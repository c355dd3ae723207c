"""What we mend inside moto's own process.

Route 53: moto refuses to create a record that was created before and deleted since, because it looks for the same
change in the zone's history. A deletion here takes the record's earlier changes out of that history. It also deletes
the records of other names that have the same set identifier; here they stay.

RDS: the secret of a managed master password says `admin` and the same password for every instance. Here it has the
instance's own user and a password of its own.

ACM: moto issues a certificate a minute after it was asked for. Here it does at once: that its records are there is what
the validation's own handler sees to.

EC2: a NAT gateway that is deleted gives its address and its interface back. A security group's rule that is changed to
name another group does so.

Secrets Manager: moto moves the label AWSCURRENT without the value that a secret is read with when no stage is named.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from moto import settings
from moto.ec2.models import EC2Backend
from moto.rds.models import MasterUserSecret
from moto.route53.models import ChangeList, Route53Backend
from moto.secretsmanager.models import SecretsManagerBackend

from rehearsal.aws.emulators import moto_backups, moto_databases, moto_retained, moto_samples


def install() -> None:
    setattr(MasterUserSecret, "_generate_secret_string", _credentials)  # noqa: B010
    _forget_deleted_records()
    _delete_one_record_of_a_set_identifier()
    _read_what_is_current()
    settings.ACM_VALIDATION_WAIT = -1  # seconds
    _give_back_with_the_nat_gateway()
    _change_the_named_group()
    moto_backups.install()
    moto_samples.install()
    moto_databases.install()
    moto_retained.install()


def _credentials(secret: MasterUserSecret) -> str:
    """The document that RDS puts into the secret; 28 characters, as it draws them."""
    return json.dumps({"username": secret.resource.master_username, "password": secrets.token_hex(14)})


def _forget_deleted_records() -> None:
    append = ChangeList.append

    def append_and_forget(changes: ChangeList, item: dict[str, Any]) -> None:
        append(changes, item)  # brings the name into the form that the history has
        if item["Action"] == "DELETE":
            key = _key(item)
            changes[:] = [change for change in changes if _key(change) != key]

    setattr(ChangeList, "append", append_and_forget)  # noqa: B010 (mypy knows no assignment to a method)


def _delete_one_record_of_a_set_identifier() -> None:
    change = Route53Backend.change_resource_record_sets

    def change_and_keep(backend: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        zone: Any = backend.get_hosted_zone(zoneid)
        named = {_key(item) for item in change_list}
        others = [each for each in zone.rrsets
                  if each.set_identifier and (each.name, each.type, each.set_identifier) not in named]
        change(backend, zoneid, change_list)
        zone.rrsets.extend(each for each in others if each not in zone.rrsets)

    setattr(Route53Backend, "change_resource_record_sets", change_and_keep)  # noqa: B010 (as above)


def _read_what_is_current() -> None:
    move = SecretsManagerBackend.update_secret_version_stage

    def move_and_read(backend: SecretsManagerBackend, secret_id: str, **more: Any) -> Any:
        answer = move(backend, secret_id, **more)
        secret: Any = backend.secrets[secret_id]
        secret.default_version_id = next(version for version, held in secret.versions.items()
                                         if "AWSCURRENT" in held["version_stages"])
        return answer

    setattr(SecretsManagerBackend, "update_secret_version_stage", move_and_read)  # noqa: B010 (as above)


def _give_back_with_the_nat_gateway() -> None:
    delete = EC2Backend.delete_nat_gateway

    def delete_and_give_back(backend: Any, nat_gateway_id: str) -> Any:
        gateway = backend.nat_gateways.get(nat_gateway_id)
        lives = gateway is not None and gateway.state != "deleted"
        deleted = delete(backend, nat_gateway_id)
        for address in gateway.address_set if lives else ():
            allocated = address.get("allocationId")
            for each in backend.address_by_allocation([allocated]) if allocated else ():
                if each.association_id:
                    backend.disassociate_address(association_id=each.association_id)
            if address["networkInterfaceId"] in backend.enis:
                backend.delete_network_interface(address["networkInterfaceId"])
        return deleted

    setattr(EC2Backend, "delete_nat_gateway", delete_and_give_back)  # noqa: B010 (as above)


def _change_the_named_group() -> None:
    modify = EC2Backend.modify_security_group_rules

    def modify_and_name(backend: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        modify(backend, group_id, rules)
        group = backend.get_security_group_by_name_or_id(group_id)
        for id, wanted in rules.items():
            if named := wanted.get("ReferencedGroupId"):
                rule = group.get_rule(id)
                rule.source_group = {**rule.source_group, "GroupId": named}

    setattr(EC2Backend, "modify_security_group_rules", modify_and_name)  # noqa: B010 (as above)


def _key(change: dict[str, Any]) -> tuple[Any, ...]:
    record = change["ResourceRecordSet"]
    return record["Name"], record["Type"], record.get("SetIdentifier")
