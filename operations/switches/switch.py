"""READ_ONLY, ANIMATION_FALLBACK and whatever else the settings call a switch of a service (O6, K10).

A switch is a ConfigMap with one variable, which pods take when they start: after it is written, those that began
before are replaced, one after another as in any change of a Deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.plans import kubernetes
from infra.plans.pods import switch_name
from infra.settings.model import Service, Settings
from kube.client import Client, Object
from operations.cluster import Field, Objects, last_writer
from operations.errors import Contested, NotAcceptable, OperationError
from operations.rollout.cluster import waiting
from operations.rollout.pods import is_ready
from operations.rollout.waits import Waits

PODS_SECONDS = 600.0  # O4: the time limit of a rollout
VALUES = {True: "true", False: "false"}
PROGRAM = "pulumi-kubernetes"  # how its field manager's name begins: it repeats the values that it finds


@dataclass(frozen=True)
class Switch:
    """A variable of one service."""

    service: Service
    variable: str

    @property
    def name(self) -> str:
        """As operators say it: `read-only`."""
        return spoken(self.variable)

    @property
    def field(self) -> Field:
        return Field("v1", "ConfigMap", switch_name(self.service, self.variable),
                     lambda item: item["data"].get(self.variable),
                     lambda _, value: {"data": {self.variable: value}}, f"the switch {self.name}")

    @property
    def mark(self) -> str:
        """Annotation of the pods' template: for which write of the ConfigMap the pods were replaced."""
        return f"candlefish.ai/{self.name}"


def spoken(variable: str) -> str:
    return variable.lower().replace("_", "-")


def switches(settings: Settings) -> tuple[Switch, ...]:
    return tuple(Switch(service, variable) for service in settings.services for variable in sorted(service.switches))


def chosen(settings: Settings, name: str, service: str | None = None) -> Switch:
    """Raises NotAcceptable for a name that is no switch, or one of several services."""
    known = switches(settings)
    found = [each for each in known if each.name == spoken(name) and service in (None, each.service.name)]
    if not found:
        there = ", ".join(f"{each.name} ({each.service.name})" for each in known) or "none"
        raise NotAcceptable(f"there is no switch {name!r}" + (f" of {service}" if service else "")
                            + f"; there are {there}, from services.NAME.switches of the stack file")
    if len(found) > 1:
        several = ", ".join(each.service.name for each in found)
        raise NotAcceptable(f"{several} each have a switch {name}; add --service")
    return found[0]


@dataclass
class Switching:
    """Of one stack. say: progress, a line each."""

    client: Client
    settings: Settings
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._objects = Objects(self.client, self.settings.cluster.namespace)
        self._waits = Waits(lambda: None, self.say)

    def status(self, switch: Switch) -> dict[str, Any]:
        """`{"switch", "service", "value", "pods", "with"}`: pods of the service, and how many have the value."""
        item = self._config(switch)
        pods = [pod for colour in kubernetes.COLOURS for pod in self._pods(switch, colour)]
        return {"switch": switch.name, "service": switch.service.name, "value": switch.field.read(item),
                "pods": len(pods), "with": sum(has(pod, item, switch) for pod in pods)}

    def turn(self, switch: Switch, on: bool) -> dict[str, Any]:
        """Until every pod has it, those that are on their way out included: with `read-only` on, nobody writes any
        more. Raises OperationError when a pod does not take it, and when new pods do not become ready: then the old
        ones serve on."""
        self._expect_taken(switch)
        if self._objects.move(switch.field, VALUES[on]):
            self.say(f"{switch.service.name}: {switch.variable} is {VALUES[on]} for pods that start from now on")
        item = self._config(switch)
        for colour in kubernetes.COLOURS:
            stale = self._stale(switch, colour, item)
            if stale:
                self._objects.move(self._template(switch, colour), _stamp(item, switch))
                self.say(f"{_counted(stale)} of {colour} replaced, each once another one is ready in its place")
        what = f"every pod of {switch.service.name} has {switch.variable}={VALUES[on]}"
        self._waits.unhindered(what, lambda: self._left(switch, item), PODS_SECONDS)
        found = self.status(switch)
        if found["value"] != VALUES[on]:
            raise Contested(f"{switch.field.what} is {found['value']} again: {last_writer(self._config(switch))} or "
                            "another process of this command changed it meanwhile")
        return found

    def planned(self, switch: Switch, on: bool) -> list[str]:
        """What `turn` would write, in words."""
        self._expect_taken(switch)
        item = self._config(switch)
        found, changed = switch.field.read(item), switch.field.read(item) != VALUES[on]
        steps = [f"{switch.variable}: {found} → {VALUES[on]}"] if changed else []
        for colour in kubernetes.COLOURS:
            pods = self._pods(switch, colour) if changed else self._stale(switch, colour, item)
            steps += [f"{_counted(pods)} of {switch.service.name}-{colour} replaced"] if pods else []
        return steps

    def _config(self, switch: Switch) -> Object:
        return self._objects.get("v1", "ConfigMap", switch.field.name)

    def _pods(self, switch: Switch, colour: str) -> list[Object]:
        return [pod for pod in self._objects.labelled("Pod", kubernetes.selector(switch.service, colour))
                if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]

    def _stale(self, switch: Switch, colour: str, item: Object) -> list[Object]:
        return [pod for pod in self._pods(switch, colour) if not has(pod, item, switch)]

    def _left(self, switch: Switch, item: Object) -> str | None:
        pods = [pod for colour in kubernetes.COLOURS for pod in self._pods(switch, colour)]
        without = [pod for pod in pods if not has(pod, item, switch)]
        unready = [pod for pod in pods if not is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]
        if not without and not unready:
            return None
        return "; ".join(dict.fromkeys(reason for pod in unready for reason in waiting(pod)))

    def _template(self, switch: Switch, colour: str) -> Field:
        return Field("apps/v1", "Deployment", kubernetes.name_of(switch.service, colour),
                     lambda found: _annotations(found["spec"]["template"]).get(switch.mark),
                     lambda _, stamp: {"spec": {"template": {"metadata": {"annotations": {switch.mark: stamp}}}}},
                     f"the pods of {colour}")

    def _expect_taken(self, switch: Switch) -> None:
        for colour in kubernetes.COLOURS:
            name = kubernetes.name_of(switch.service, colour)
            spec = self._objects.get("apps/v1", "Deployment", name)["spec"]
            if spec["replicas"] and switch.field.name not in _taken(spec["template"]["spec"]["containers"]):
                raise OperationError(f"the pods of {name} know nothing of {switch.variable}: it came to the settings "
                                     f"after their release. Bring one: candlefish rollout start {switch.service.name}")


def has(pod: Object, config: Object, switch: Switch) -> bool:
    """Whether the pod began after the ConfigMap got its value: replaced for that write, or, by the API server's clock,
    made in a later second."""
    return (_annotations(pod).get(switch.mark) == _stamp(config, switch)
            or str(pod["metadata"]["creationTimestamp"]) > _written(config, switch))


def _written(config: Object, switch: Switch) -> str:
    """When somebody gave the variable its value (RFC 3339, seconds); empty: nobody did since the program made it."""
    return max((str(entry.get("time") or "") for entry in config["metadata"].get("managedFields") or ()
                if not str(entry.get("manager")).startswith(PROGRAM)
                and f"f:{switch.variable}" in ((entry.get("fieldsV1") or {}).get("f:data") or {})), default="")


def _stamp(config: Object, switch: Switch) -> str:
    return f"{switch.field.read(config)}.{config['metadata']['resourceVersion']}"


def _counted(pods: Sequence[Object]) -> str:
    return f"{len(pods)} {'pod' if len(pods) == 1 else 'pods'}"


def _annotations(item: Object) -> dict[str, str]:
    return dict(item["metadata"].get("annotations") or {})


def _taken(containers: Iterable[Object]) -> set[str]:
    return {source.get("configMapRef", {}).get("name", "")
            for each in containers for source in each.get("envFrom") or ()}
