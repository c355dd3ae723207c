"""Changes that many threads make to one object at once are all kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rehearsal.aws.clients import Clients
from rehearsal.aws.servers import DEFAULT_ACCOUNT

pytestmark = pytest.mark.rehearsal

RECORDS = 40


def test_records_that_are_deleted_at_once_are_all_gone(aws: Any) -> None:
    client = Clients(aws.endpoint.url).shared("route53", "us-east-1", DEFAULT_ACCOUNT)
    zone = client.create_hosted_zone(Name="turns.test.", CallerReference="turns")["HostedZone"]["Id"]

    def change(action: str, number: int) -> None:
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
            "Action": action, "ResourceRecordSet": {"Name": f"r{number}.turns.test.", "Type": "A", "TTL": 60,
                                                    "ResourceRecords": [{"Value": "192.0.2.1"}]}}]})

    with ThreadPoolExecutor(16) as pool:
        def there(number: int) -> bool:
            name = f"r{number}.turns.test."
            found = client.list_resource_record_sets(HostedZoneId=zone, StartRecordName=name, StartRecordType="A")
            return any(each["Name"] == name for each in found["ResourceRecordSets"])

        for action, left in (("CREATE", RECORDS), ("DELETE", 0)):
            list(pool.map(lambda number, action=action: change(action, number), range(RECORDS)))
            found = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
            assert len([each for each in found if each["Type"] == "A"]) == left
            if left:
                client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
                    "Action": "CREATE", "ResourceRecordSet": {
                        "Name": "zz.turns.test.", "Type": "AAAA", "TTL": 60,
                        "ResourceRecords": [{"Value": "2001:db8::1"}]}}]})
                assert all(pool.map(there, range(RECORDS))), "a read found a list that another one was sorting"
    change("CREATE", 1)  # the same record again: its deletion is not forgotten
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
        "Action": "DELETE", "ResourceRecordSet": {"Name": "r1.turns.test.", "Type": "A", "TTL": 60,
                                                  "ResourceRecords": [{"Value": "192.0.2.1"}]}}]})
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
        "Action": "DELETE", "ResourceRecordSet": {"Name": "zz.turns.test.", "Type": "AAAA", "TTL": 60,
                                                  "ResourceRecords": [{"Value": "2001:db8::1"}]}}]})
    client.delete_hosted_zone(Id=zone)
