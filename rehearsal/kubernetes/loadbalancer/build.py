"""From the Ingresses of one group to the load balancer that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.loadbalancer import names
from rehearsal.kubernetes.loadbalancer.annotations import Annotations, ModelError
from rehearsal.kubernetes.loadbalancer.authentication import authenticate
from rehearsal.kubernetes.loadbalancer.model import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    TargetGroup,
)

USE_ANNOTATION = "use-annotation"
NOT_FOUND = FixedResponse(404)
# The controller's --tolerate-non-existent-backend-service, which is on: one Ingress whose Service comes later does not
# hold up the others of its group.
NO_SERVICE = FixedResponse(503, body="Backend service does not exist")
_EVALUATIONS_PER_CONDITION, _EVALUATIONS_PER_RULE = 3, 5  # ELBv2, "Condition types for listener rules"
_CONDITIONS = {"host-header": "hostHeaderConfig", "path-pattern": "pathPatternConfig",
               "http-header": "httpHeaderConfig", "http-request-method": "httpRequestMethodConfig",
               "query-string": "queryStringConfig", "source-ip": "sourceIpConfig"}


def group_of(ingress: Object) -> str:
    """The group's id: `group.name`, or the Ingress's own namespace and name."""
    metadata = ingress["metadata"]
    return (Annotations("", ingress).text("group.name")) or f"{metadata['namespace']}/{metadata['name']}"


class Builder:
    """`service` looks up a Service by namespace and name, `existing` a target group of the program's by ARN or name."""

    def __init__(self, cluster: str, group: str, service: Callable[[str, str], Object | None],
                 existing: Callable[[str], TargetGroup]) -> None:
        self._cluster, self._group = cluster, group
        self._service, self._existing = service, existing
        self._target_groups: dict[str, TargetGroup] = {}

    def build(self, ingresses: Sequence[Object]) -> LoadBalancer:
        """Raises ModelError. The first of the group's Ingresses, by group.order and name, decides for all."""
        try:
            return self._build(ingresses)
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
            # An annotation's JSON that has another shape than the controller's documents.
            raise ModelError(f"group {self._group}: an annotation or backend is malformed: {error!r}") from error

    def _build(self, ingresses: Sequence[Object]) -> LoadBalancer:
        ordered = sorted(ingresses, key=lambda each: (Annotations("", each).number("group.order", 0),
                                                      each["metadata"]["namespace"], each["metadata"]["name"]))
        notes = [(each, Annotations(_owner(each), each)) for each in ordered]
        ports: dict[int, str] = {}
        for _, note in notes:
            ports.update(_listen_ports(note))
        first = next((note for _, note in notes), None)
        if first is None:
            raise ModelError(f"group {self._group} has no Ingress")
        for _, note in notes:
            if note.text("target-type", "instance") != "ip":
                raise ModelError(f"{note.owner}: target-type must be ip: this cluster has no node ports; set "
                                 f"alb.ingress.kubernetes.io/target-type: ip")
        scheme = next((note.text("scheme") for _, note in notes if note.text("scheme")), "internal")
        listeners = tuple(self._listener(port, ports[port], ports, notes) for port in sorted(ports))
        name = next((note.text("load-balancer-name") for _, note in notes if note.text("load-balancer-name")),
                    names.load_balancer_name(self._cluster, self._group, scheme))
        own = dict(pair for _, note in reversed(notes) for pair in note.pairs("tags"))
        return LoadBalancer(
            group=self._group, name=name, scheme=scheme, listeners=listeners, target_groups=dict(self._target_groups),
            attributes=tuple(sorted({pair for _, note in notes for pair in note.pairs("load-balancer-attributes")})),
            tags=tuple(sorted({**own, **names.tags(self._cluster, self._group, "LoadBalancer")}.items())),
            security_groups=first.listed("security-groups"), subnets=first.listed("subnets"),
            inbound_cidrs=first.listed("inbound-cidrs") or ("0.0.0.0/0",),
            web_acl=next((note.text("wafv2-acl-arn") for _, note in notes if note.text("wafv2-acl-arn")), ""))

    def _listener(self, port: int, protocol: str, ports: dict[int, str],
                  notes: Sequence[tuple[Object, Annotations]]) -> Listener:
        redirect_to = next((note.text("ssl-redirect") for _, note in notes if note.text("ssl-redirect")), "")
        if redirect_to and protocol == "HTTP":
            return Listener(port, protocol, Redirect(301, "HTTPS", port=redirect_to))
        rules: list[Rule] = []
        default: Action = NOT_FOUND
        certificates: list[str] = []
        for ingress, note in notes:
            if port not in _listen_ports(note):
                continue
            certificates += [arn for arn in note.listed("certificate-arn") if arn not in certificates]
            spec = ingress["spec"]
            if spec.get("defaultBackend"):
                default = self._action(ingress, note, spec["defaultBackend"])
            for rule in spec.get("rules") or ():
                for path in sorted((rule.get("http") or {}).get("paths") or (), key=_path_order):
                    rules.append(Rule(_conditions(note, rule.get("host", ""), path),
                                      self._action(ingress, note, path["backend"]),
                                      authenticate(note) if protocol == "HTTPS" else None))
        if protocol == "HTTPS" and not certificates:
            raise ModelError(f"{notes[0][1].owner}: an HTTPS listener needs certificate-arn")
        policy = notes[0][1].text("ssl-policy", "ELBSecurityPolicy-2016-08") if protocol == "HTTPS" else ""
        return Listener(port, protocol, default, tuple(rules), tuple(certificates), policy)

    def _action(self, ingress: Object, note: Annotations, backend: Object) -> Action:
        service = backend.get("service")
        if service is None:
            raise ModelError(f"{note.owner}: a backend must be a service")
        port = service["port"]
        if port.get("name") != USE_ANNOTATION:
            if self._service(ingress["metadata"]["namespace"], service["name"]) is None:
                return NO_SERVICE
            shown = str(port.get("number", port.get("name", "")))
            return Forward(((self._target_group(ingress, service["name"], shown), 1),))
        document = note.document(f"actions.{service['name']}")
        if document is None:
            raise ModelError(f"{note.owner}: backend {service['name']} uses an annotation, but there is no "
                             f"alb.ingress.kubernetes.io/actions.{service['name']}")
        return self._from_document(ingress, note, service["name"], document)

    def _from_document(self, ingress: Object, note: Annotations, name: str, document: Any) -> Action:
        kind = document.get("type")
        if kind == "fixed-response":
            config = document["fixedResponseConfig"]
            return FixedResponse(int(config["statusCode"]), config.get("contentType", "text/plain"),
                                 config.get("messageBody", ""))
        if kind == "redirect":
            config = document["redirectConfig"]
            status = int(str(config["statusCode"]).removeprefix("HTTP_"))
            return Redirect(status, **{key: str(config[key])
                                       for key in ("protocol", "host", "port", "path", "query") if key in config})
        if kind != "forward":
            raise ModelError(f"{note.owner}: actions.{name}: type {kind!r} is not forward, fixed-response or redirect")
        config = document.get("forwardConfig") or {"targetGroups": [
            {key: document[key] for key in ("targetGroupARN", "targetGroupName") if key in document}]}
        weights = []
        for entry in config["targetGroups"]:
            weight = int(entry.get("weight", 1))
            if not 0 <= weight <= 999:
                raise ModelError(f"{note.owner}: actions.{name}: weight {weight} is not within 0 and 999")
            weights.append((self._entry(ingress, note, name, entry), weight))
        sticky = config.get("targetGroupStickinessConfig") or {}
        return Forward(tuple(weights), int(sticky.get("durationSeconds", 3600)) if sticky.get("enabled") else 0)

    def _entry(self, ingress: Object, note: Annotations, name: str, entry: Any) -> str:
        if "serviceName" in entry:
            return self._target_group(ingress, entry["serviceName"], str(entry["servicePort"]))
        named = entry.get("targetGroupARN") or entry.get("targetGroupName")
        if not named:
            raise ModelError(f"{note.owner}: actions.{name}: a target group needs serviceName, targetGroupARN or "
                             f"targetGroupName")
        found = self._existing(str(named))
        self._target_groups[found.id] = found
        return found.id

    def _target_group(self, ingress: Object, service_name: str, port: str) -> str:
        metadata = ingress["metadata"]
        namespace = metadata["namespace"]
        id = f"{namespace}/{metadata['name']}-{service_name}:{port}"
        if id in self._target_groups:
            return id
        service = self._service(namespace, service_name)
        if service is None:
            raise ModelError(f"{_owner(ingress)}: service {namespace}/{service_name} does not exist")
        found = next((each for each in service["spec"].get("ports") or ()
                      if port in (str(each["port"]), each.get("name"))), None)
        if found is None:
            raise ModelError(f"{_owner(ingress)}: service {namespace}/{service_name} has no port {port}")
        note = Annotations(f"service {namespace}/{service_name}", service, ingress)
        target = found.get("targetPort", found["port"])
        number = target if isinstance(target, int) else 1
        protocol = note.text("backend-protocol", "HTTP")
        name = names.target_group_name(self._cluster, self._group, namespace, metadata["name"], service_name,
                                       service["metadata"]["uid"], port, number, protocol)
        tags = {**dict(note.pairs("tags")), **names.tags(self._cluster, self._group, id)}
        self._target_groups[id] = TargetGroup(
            id=id, name=name, namespace=namespace, service=service_name, service_port=port, port=number,
            protocol=protocol, health=_health(note, protocol), attributes=note.pairs("target-group-attributes"),
            tags=tuple(sorted(tags.items())))
        return id


def _owner(ingress: Object) -> str:
    return f"ingress {ingress['metadata']['namespace']}/{ingress['metadata']['name']}"


def _listen_ports(note: Annotations) -> dict[int, str]:
    document = note.document("listen-ports")
    if document is None:
        return {443: "HTTPS"} if note.listed("certificate-arn") else {80: "HTTP"}
    found = {}
    for entry in document:
        for protocol, port in entry.items():
            if protocol not in ("HTTP", "HTTPS") or not 1 <= int(port) <= 65535:
                raise ModelError(f"{note.owner}: listen-ports: {protocol} {port} is not HTTP or HTTPS with a port")
            found[int(port)] = protocol
    return found


def _health(note: Annotations, protocol: str) -> HealthCheck:
    base = HealthCheck()
    check = HealthCheck(
        path=note.text("healthcheck-path", base.path), port=note.text("healthcheck-port", base.port),
        protocol=note.text("healthcheck-protocol", protocol),
        interval_seconds=note.number("healthcheck-interval-seconds", base.interval_seconds),
        timeout_seconds=note.number("healthcheck-timeout-seconds", base.timeout_seconds),
        healthy_threshold=note.number("healthy-threshold-count", base.healthy_threshold),
        unhealthy_threshold=note.number("unhealthy-threshold-count", base.unhealthy_threshold),
        success_codes=note.text("success-codes", base.success_codes))
    if check.port != "traffic-port" and not check.port.isdigit():
        raise ModelError(f"{note.owner}: healthcheck-port {check.port!r} is not traffic-port or a number")
    check.accepts(200)  # raises ValueError for success-codes that are none
    if check.timeout_seconds >= check.interval_seconds:
        raise ModelError(f"{note.owner}: healthcheck-timeout-seconds {check.timeout_seconds} must be smaller than "
                         f"healthcheck-interval-seconds {check.interval_seconds}")
    return check


_PATH_RANK = {"Exact": 0, "Prefix": 1, "ImplementationSpecific": 2}


def _path_order(path: Object) -> tuple[int, int]:
    """Exact before prefixes, longer prefixes first; the rest in the order of the Ingress (the sort is stable)."""
    kind = path.get("pathType", "ImplementationSpecific")
    return _PATH_RANK[kind], -len(path.get("path", "")) if kind == "Prefix" else 0


def _conditions(note: Annotations, host: str, path: Object) -> tuple[Condition, ...]:
    found: list[Condition] = [Condition("host-header", (host,))] if host else []
    pattern = path.get("path", "")
    if pattern:
        found.append(Condition("path-pattern", _patterns(pattern, path.get("pathType", "ImplementationSpecific"))))
    for entry in note.document(f"conditions.{path['backend']['service']['name']}") or ():
        field = entry["field"]
        if field not in _CONDITIONS:
            raise ModelError(f"{note.owner}: unknown condition {field!r}; known are {', '.join(_CONDITIONS)}")
        config = _config(entry, _CONDITIONS[field])
        values = tuple(f"{each.get('key', '')}={each['value']}" if isinstance(each, dict) else str(each)
                       for each in config["values"])
        found.append(Condition(field, values, config.get("httpHeaderName", "")))
    most = max((len(condition.values) for condition in found), default=0)
    total = sum(len(condition.values) for condition in found)
    if most > _EVALUATIONS_PER_CONDITION or total > _EVALUATIONS_PER_RULE:
        raise ModelError(f"{note.owner}: the rule for {host}{pattern} has {total} values in its conditions, {most} in "
                         f"one; a rule takes {_EVALUATIONS_PER_RULE}, a condition {_EVALUATIONS_PER_CONDITION}")
    return tuple(found)


def _config(entry: Object, name: str) -> Object:
    """As the controller reads JSON: without regard to the case of names."""
    found: Object = next(value for key, value in entry.items() if key.lower() == name.lower())
    return found


def _patterns(path: str, kind: str) -> tuple[str, ...]:
    if kind != "Prefix":
        return (path,)
    trimmed = path.rstrip("/")
    return (trimmed, f"{trimmed}/*") if trimmed else ("/*",)
