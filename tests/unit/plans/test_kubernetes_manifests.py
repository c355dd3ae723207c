"""Manifests of a service: what must hold for any service of the configuration."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plans import ingress, kubernetes, maintenance
from infra.plans.kubernetes import COLOURS, deployment, pod_template, selector, service
from infra.plans.pods import variables
from infra.settings import model

pytestmark = pytest.mark.unit

NAMESPACE = "candlefish-staging"
SIZES = model.Resources(cpu_millis=250, memory_mib=768, cpu_limit_millis=1000, memory_limit_mib=2048)
names = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
words = st.dictionaries(st.sampled_from(["NODE_OPTIONS", "A", "Z"]), printable)
switches = st.dictionaries(st.sampled_from(["READ_ONLY", "ANIMATION_FALLBACK"]), st.sampled_from(["true", "false"]))


@st.composite
def services(draw: st.DrawFn) -> model.Service:
    environment = draw(words)
    minimum = draw(st.integers(1, 5))
    return model.Service(
        name=draw(names), port=draw(st.integers(1024, 65535)), image="registry/website:1@sha256:0f",
        service_port=draw(st.none() | st.integers(1, 65535)), resources=SIZES, environment=environment,
        switches=draw(switches), replicas=model.Replicas(minimum=minimum, maximum=minimum + draw(st.integers(0, 15))),
        drain_seconds=draw(st.integers(0, 300)), paths=draw(st.sampled_from([(), ("/",)])),
        volume=draw(st.none() | st.just(model.Volume(mount_path="/data", size_gib=20))),
        secrets=draw(st.sampled_from([(), (model.SecretReference(variable="JWT", secret="jwt"),
                                           model.SecretReference(variable="DSN", secret="sentry", key="dsn",
                                                                 optional=True))])))


def made(of: model.Service, colour: str = "blue", **extra: Any) -> dict[str, Any]:
    template = pod_template(of, NAMESPACE, priority_class="candlefish-internal", storage_class="gp3", **extra)
    return deployment(of, colour, NAMESPACE, template["template"])


def container(of: model.Service) -> dict[str, Any]:
    found: dict[str, Any] = made(of)["spec"]["template"]["spec"]["containers"][0]
    return found


@given(services(), st.sampled_from(COLOURS))
def test_selectors_find_exactly_the_pods_of_their_colour(of: model.Service, colour: str) -> None:
    pods = made(of, colour)["spec"]["template"]["metadata"]["labels"]
    matching = [made(of, colour)["spec"]["selector"]["matchLabels"],
                service(of, NAMESPACE, colour)["spec"]["selector"],
                kubernetes.disruption_budget(of, colour, NAMESPACE)["spec"]["selector"]["matchLabels"]]
    other = "green" if colour == "blue" else "blue"
    for wanted in matching:
        assert wanted.items() <= pods.items()
        assert not wanted.items() <= made(of, other)["spec"]["template"]["metadata"]["labels"].items()


@given(services())
def test_a_pod_is_what_pod_security_restricted_asks_for(of: model.Service) -> None:
    pod = made(of)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    context = pod["containers"][0]["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["runAsUser"] >= 10_000
    allowed = {"emptyDir", "ephemeral"}
    assert all(set(volume) - {"name"} <= allowed for volume in pod["volumes"])


@given(services())
def test_what_the_read_only_root_needs_is_mounted(of: model.Service) -> None:
    pod = made(of)["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    assert set(of.writable_paths) <= set(mounts.values())
    assert (of.volume is not None) == ("/data" in mounts.values())


@given(services())
def test_a_pod_is_given_time_to_drain_before_it_is_killed(of: model.Service) -> None:
    pod = made(of)["spec"]["template"]["spec"]
    assert pod["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": of.drain_seconds}}}
    assert pod["terminationGracePeriodSeconds"] > of.drain_seconds


@given(services())
def test_all_three_probes_ask_the_services_own_path_at_its_named_port(of: model.Service) -> None:
    found = container(of)
    assert found["ports"] == [{"name": "http", "containerPort": of.port, "protocol": "TCP"}]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert found[probe]["httpGet"] == {"path": of.probe.path, "port": "http"}
    assert found["livenessProbe"]["failureThreshold"] > found["readinessProbe"]["failureThreshold"]


@pytest.mark.parametrize("owned", [
    kubernetes.DEPLOYMENT_OWNED_BY_OPERATIONS, kubernetes.AUTOSCALER_OWNED_BY_OPERATIONS,
    kubernetes.LIVE_SERVICE_OWNED_BY_OPERATIONS, kubernetes.SWITCH_OWNED_BY_OPERATIONS, ingress.OWNED_BY_OPERATIONS,
    maintenance.OWNED_BY_OPERATIONS])
def test_operations_own_plain_paths_only_because_the_provider_resolves_no_other(owned: list[str]) -> None:
    assert all(re.fullmatch(r"[a-zA-Z]+(\.[a-zA-Z]+)*", path) for path in owned)


@given(services())
def test_each_switch_is_a_config_map_of_its_own_that_the_pods_take_whole(of: model.Service) -> None:
    taken = [source["configMapRef"] for source in container(of).get("envFrom", ())]
    made_ = [kubernetes.switch(of, name, NAMESPACE) for name in sorted(of.switches)]
    assert taken == [{"name": each["metadata"]["name"]} for each in made_]
    assert {name: value for each in made_ for name, value in each["data"].items()} == of.switches


@given(services())
def test_the_colours_differ_in_their_label_and_in_nothing_else(of: model.Service) -> None:
    blue, green = (made(of, colour)["spec"]["template"] for colour in COLOURS)
    assert blue["spec"] == green["spec"]
    assert blue["metadata"]["labels"] | {"color": "green"} == green["metadata"]["labels"]


@given(services())
def test_every_variable_is_there_once_and_a_secret_only_by_reference(of: model.Service) -> None:
    found = variables(of, {"EXTRA": "1"})
    assert len({variable["name"] for variable in found}) == len(found)
    assert {variable["name"] for variable in found} == {
        "COLOR", "EXTRA", *of.environment, *(reference.variable for reference in of.secrets)}
    for reference in of.secrets:
        (variable,) = [found_ for found_ in found if found_["name"] == reference.variable]
        where: dict[str, Any] = {"name": f"{of.name}-secrets"}
        if reference.optional:
            where = {"name": f"{of.name}-sentry", "optional": True}
        assert variable["valueFrom"]["secretKeyRef"] == {**where, "key": reference.variable}


@given(services())
def test_the_service_port_leads_to_the_container_port_by_name(of: model.Service) -> None:
    for colour in (None, *COLOURS):
        (port,) = service(of, NAMESPACE, colour)["spec"]["ports"]
        assert port == {"name": "http", "port": of.service_port or of.port, "targetPort": "http", "protocol": "TCP"}


@given(services())
def test_an_autoscaler_scales_the_deployment_of_its_colour_within_the_bounds(of: model.Service) -> None:
    for colour in COLOURS:
        spec = kubernetes.autoscaler(of, colour, NAMESPACE)["spec"]
        assert spec["scaleTargetRef"]["name"] == made(of, colour)["metadata"]["name"]
        assert spec["minReplicas"] == of.replicas.minimum <= spec["maxReplicas"] == of.replicas.maximum
        assert {metric["resource"]["name"] for metric in spec["metrics"]} == {"cpu", "memory"}


def test_an_alias_follows_the_live_service_without_a_selector_of_its_own() -> None:
    of = model.Service(name="paintbox", port=3000, image="i", resources=SIZES,
                       replicas=model.Replicas(minimum=1, maximum=2))
    assert kubernetes.alias(of, "paintbox-service", NAMESPACE)["spec"] == {
        "type": "ExternalName", "externalName": "paintbox.candlefish-staging.svc.cluster.local"}


@pytest.mark.parametrize(("environment", "extra", "complaint"), [
    ({"JWT": "x"}, {}, "JWT is both a plain variable and a secret"),
    ({"A": "x"}, {"A": "y"}, "variable A is set in the settings"),
    ({"READ_ONLY": "x"}, {}, "READ_ONLY is both a plain variable and a switch"),
])
def test_a_variable_given_twice_is_refused(environment: dict[str, str], extra: dict[str, str],
                                           complaint: str) -> None:
    of = model.Service(name="website", port=3000, image="i", resources=SIZES, environment=environment,
                       replicas=model.Replicas(minimum=1, maximum=2), switches={"READ_ONLY": "false"},
                       secrets=(model.SecretReference(variable="JWT", secret="jwt"),))
    with pytest.raises(ValueError, match=complaint):
        variables(of, extra)


def test_colour_and_name_make_the_selector() -> None:
    of = model.Service(name="website", port=3000, image="i", resources=SIZES,
                       replicas=model.Replicas(minimum=1, maximum=2))
    assert selector(of, "green") == {"app.kubernetes.io/name": "website", "color": "green"}
