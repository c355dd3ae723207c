from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.kubernetes.node.addresses import Addresses
from rehearsal.kubernetes.node.container import image_id, ports_of
from rehearsal.kubernetes.node.environment import NotReady, Place, References, check_volumes, environment_of
from rehearsal.kubernetes.node.fleet import Fleet
from rehearsal.kubernetes.node.groups import NodeGroup, Subnet
from rehearsal.kubernetes.node.instances import SHAPES, shape_of
from rehearsal.kubernetes.node.objects import Instance, name_of, node_object, node_status
from rehearsal.kubernetes.node.quantities import bytes_of, quantity
from rehearsal.kubernetes.node.services import KubeletSettings, backoff

pytestmark = pytest.mark.unit

PLACE = Place("node-1", "10.0.0.4", "10.0.0.9")
SUBNETS = tuple(Subnet(f"us-east-1{zone}", f"10.0.{at * 16}.0/20") for at, zone in enumerate("abc"))


def references(**data: dict[str, str]) -> References:
    """`config={…}` and `secret={…}`: objects of those names."""
    def informer(name: str, encode: bool) -> Any:
        held = data.get(name)
        item = None if held is None else {"data": {
            key: base64.b64encode(value.encode()).decode() if encode else value for key, value in held.items()}}
        return SimpleNamespace(get=lambda namespace, wanted: item if wanted == name else None)

    return References(informer("config", False), informer("secret", True), informer("claim", False))


POD = {"metadata": {"name": "p", "namespace": "n", "labels": {"color": "blue"}}, "spec": {}}


@pytest.mark.parametrize(("name", "cpu", "memory", "pods"), [
    ("t3.medium", 1930, 3788 - 442 - 100, 17), ("t3.large", 1930, 7577 - 640 - 100, 35),
    ("m7g.medium", 940, 3788 - 343 - 100, 8), ("m5.4xlarge", 15890, 60620 - 2829 - 100, 234)])
def test_what_an_instance_offers_is_what_the_ami_leaves(name: str, cpu: int, memory: int, pods: int) -> None:
    shape = shape_of(name)
    assert shape.allocatable_cpu_millicores == cpu
    assert abs(shape.allocatable_memory_mib - memory) <= 1
    assert shape.max_pods == pods


def test_an_unknown_instance_type_is_refused_with_the_place_to_add_it() -> None:
    with pytest.raises(ValueError, match=r"node/instances\.py"):
        shape_of("z9.huge")


@pytest.mark.parametrize("name", SHAPES)
def test_every_instance_type_makes_a_node(name: str) -> None:
    group = NodeGroup("general", 1, (name,), SUBNETS, spot=True)
    instance = Instance("n", "10.0.0.4", group, SUBNETS[0], "us-east-1", name, 10250, "v1.36.3")
    assert node_object(instance)["metadata"]["labels"]["kubernetes.io/arch"] == shape_of(name).architecture
    assert quantity(node_status(instance)["allocatable"]["memory"]) > 0


def test_names_of_nodes_follow_the_region() -> None:
    assert name_of("10.0.1.2", "us-east-1") == "ip-10-0-1-2.ec2.internal"
    assert name_of("10.0.1.2", "us-west-2") == "ip-10-0-1-2.us-west-2.compute.internal"


@given(st.integers(1, 12), st.integers(0, 12))
def test_instances_stay_balanced_over_zones_when_a_group_grows_and_shrinks(size: int, fewer: int) -> None:
    group = NodeGroup("general", size, ("t3.large",), SUBNETS)
    chosen = [Fleet._next_subnet([*group.subnets], [], extra) for extra in range(size)]
    present = [Instance(str(at), "", group, subnet, "", "t3.large", 0, "") for at, subnet in enumerate(chosen)]
    surplus = Fleet._surplus(present, min(fewer, size))
    for nodes in (present, [node for node in present if node not in surplus]):
        counts = [sum(node.subnet.zone == subnet.zone for node in nodes) for subnet in SUBNETS]
        assert max(counts) - min(counts) <= 1


def test_addresses_are_used_again_late_and_a_full_range_is_told() -> None:
    addresses = Addresses()
    first = addresses.allocate("10.0.0.0/28")
    assert first == "10.0.0.4"
    addresses.release(first)
    assert addresses.allocate("10.0.0.0/28") == "10.0.0.5"
    for _ in range(10):
        addresses.allocate("10.0.0.0/28")
    with pytest.raises(ValueError, match="no free address"):
        addresses.allocate("10.0.0.0/28")


def test_a_withdrawn_port_refuses_connections() -> None:
    addresses = Addresses()
    addresses.publish("10.0.0.9", {3000: 41000})
    assert addresses.loopback("10.0.0.9", 3000) == 41000
    addresses.withdraw("10.0.0.9", [3000])
    assert addresses.loopback("10.0.0.9", 3000) is None


def test_the_delays_between_crashes_double_up_to_five_minutes() -> None:
    settings = KubeletSettings(Path("logs"))
    assert [backoff(restarts, settings) for restarts in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


@pytest.mark.parametrize(("text", "value"), [
    ("500m", 0.5), ("2", 2), ("2Gi", 2 * 2**30), ("1k", 1000), ("64Mi", 2**26)])
def test_quantities(text: str, value: float) -> None:
    assert quantity(text) == value
    assert bytes_of(text) == int(value)


def test_the_environment_comes_from_values_references_and_fields() -> None:
    spec = {"envFrom": [{"configMapRef": {"name": "config"}, "prefix": "C_"}], "env": [
        {"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(UNKNOWN)"},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "k"}}},
        {"name": "O", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "COLOR", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['color']"}}}]}
    assert environment_of(POD, spec, references(config={"x": "y"}, secret={"k": "v"}), PLACE) == {
        "C_x": "y", "A": "1", "B": "1-$(UNKNOWN)", "S": "v", "IP": "10.0.0.9", "COLOR": "blue"}


@pytest.mark.parametrize("source", [
    {"env": [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "other", "key": "k"}}}]},
    {"env": [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "other"}}}]},
    {"envFrom": [{"configMapRef": {"name": "other"}}]}])
def test_a_missing_reference_is_told(source: dict[str, Any]) -> None:
    with pytest.raises(NotReady, match="other"):
        environment_of(POD, source, references(secret={"k": "v"}), PLACE)


@pytest.mark.parametrize("volume", [
    {"configMap": {"name": "other"}}, {"secret": {"secretName": "secret", "items": [{"key": "other", "path": "x"}]}},
    {"persistentVolumeClaim": {"claimName": "other"}}, {"projected": {"sources": [{"secret": {"name": "other"}}]}}])
def test_a_volume_of_something_missing_is_told(volume: dict[str, Any]) -> None:
    pod = {**POD, "spec": {"volumes": [{"name": "v", **volume}]}}
    with pytest.raises(NotReady, match="other") as told:
        check_volumes(pod, references(secret={"k": "v"}))
    assert told.value.reason == "FailedMount"


def test_optional_and_empty_volumes_need_nothing() -> None:
    volumes = [{"name": "a", "emptyDir": {}}, {"name": "b", "secret": {"secretName": "other", "optional": True}}]
    check_volumes({**POD, "spec": {"volumes": volumes}}, references())


def test_a_stand_in_listens_on_declared_ports_and_those_that_probes_ask_for() -> None:
    spec = {"ports": [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}],
            "livenessProbe": {"tcpSocket": {"port": 9000}}, "readinessProbe": {"httpGet": {"port": "http"}}}
    assert ports_of(spec) == [8080, 9000]


def test_an_images_id_is_its_digest() -> None:
    assert image_id("host:5000/site:1.0@sha256:abc") == "host:5000/site@sha256:abc"
    assert image_id("site:1.0") == image_id("site:1.0") != image_id("site:1.1")
