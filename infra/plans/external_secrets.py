"""ExternalSecrets: what pods get of Secrets Manager, as it is or composed with what the deployment knows (K8, D1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.plans.pods import PART_OF, PULL_SECRET, Manifest, labels, metadata, secret_name
from infra.settings.model import SecretReference, Service

REFRESH_INTERVAL = "1h"
REGISTRY_SECRET = "registry"  # in Secrets Manager: a Docker configuration, filled by operators
DATABASE_SECRET = "candlefish-database-secret"  # the name that operators know (D1)


@dataclass(frozen=True)
class DatabasePlace:
    """Where the database is. RDS's own secret has only `username` and `password`. Values may be `pulumi.Input`s."""

    host: Any
    port: Any
    name: str


def database_url(user: str, password: str, place: Mapping[str, Any]) -> str:
    """A template of the operator: `user` and `password` are names of its values, `place` has host, port and name.

    Both are escaped: RDS makes passwords with any printable character but `/`, `@`, `"` and space.
    """
    return (f"postgresql://{{{{ .{user} | urlquery }}}}:{{{{ .{password} | urlquery }}}}"
            f"@{place['host']}:{place['port']}/{place['name']}?sslmode=require")


def pulled_with_a_secret(services: Iterable[Service]) -> bool:
    """Whether any image is of another registry than ECR, which the nodes' role can read."""
    return any(".dkr.ecr." not in service.image for service in services)


def pull_secret(namespace: str, store: str, secret: Any) -> Manifest:
    """What the kubelet shows to registries other than ECR. `secret`: name or ARN; its value as a whole is the file."""
    return {"metadata": metadata(PULL_SECRET, namespace, {"app.kubernetes.io/part-of": PART_OF}), "spec": {
        "refreshInterval": REFRESH_INTERVAL, "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
        "target": {"name": PULL_SECRET, "creationPolicy": "Owner", "template": {
            "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "{{ .configuration }}"}}},
        "data": [{"secretKey": "configuration", "remoteRef": {"key": secret}}]}}


def service_secrets(service: Service, namespace: str, store: str, secrets: Mapping[str, Any],
                    database_template: Any = None) -> dict[str, Manifest]:
    """A service's ExternalSecrets by a name that is unique in the service: `secrets` for what it needs, and one for
    each secret with optional keys. The operator makes a Secret whole or not at all: an optional key that nobody has
    filled in must not keep a needed one back.

    secrets: what `SecretReference.secret` names → name or ARN in Secrets Manager. A missing one is an error.
    database_template: `database_url("database_username", "database_password", …)`, for references to the key `url` of
    `database`: RDS keeps only user and password.
    """
    missing = sorted({reference.secret for reference in service.secrets} - set(secrets))
    if missing:
        raise ValueError(f"service {service.name} refers to secret {', '.join(missing)}, which the stack does not "
                         f"have; it has {', '.join(sorted(secrets)) or 'none'}")
    needed = [reference for reference in service.secrets if not reference.optional]
    found = {"secrets": _needed(service, needed, namespace, store, secrets, database_template)} if needed else {}
    for name in sorted({reference.secret for reference in service.secrets if reference.optional}):
        data = [_entry(reference.variable, secrets[name], reference.key) for reference in service.secrets
                if reference.optional and reference.secret == name]
        found[name] = _external_secret(secret_name(service, name), secret_name(service, name), namespace, store,
                                       service, data)
    return found


def _needed(service: Service, references: Sequence[SecretReference], namespace: str, store: str,
            secrets: Mapping[str, Any], database_template: Any) -> Manifest:
    data: list[Manifest] = []
    template: dict[str, Any] = {}
    for reference in references:
        if (reference.secret, reference.key) == ("database", "url"):
            if database_template is None:
                raise ValueError(f"service {service.name}: {reference.variable} is the database's URL, and the program "
                                 "was not told where the database is")
            template[reference.variable] = database_template
            continue
        template[reference.variable] = f"{{{{ .{reference.variable} }}}}"
        data.append(_entry(reference.variable, secrets[reference.secret], reference.key))
    made = _external_secret(service.name, secret_name(service), namespace, store, service, data)
    if len(data) < len(references):
        data += [_entry(f"database_{key}", secrets["database"], key) for key in ("username", "password")]
        # Replaces what was fetched: user and password are in the URL only.
        made["spec"]["target"]["template"] = {"data": template}
    return made


def _external_secret(name: str, target: str, namespace: str, store: str, service: Service,
                     data: list[Manifest]) -> Manifest:
    return {"metadata": metadata(name, namespace, labels(service.name)),
            "spec": {"refreshInterval": REFRESH_INTERVAL,
                     "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
                     "target": {"name": target, "creationPolicy": "Owner"}, "data": data}}


def _entry(name: str, key: Any, part: str) -> Manifest:
    return {"secretKey": name, "remoteRef": {"key": key, **({"property": part} if part else {})}}


def database_secret(namespace: str, store: str, key: Any, place: DatabasePlace, url_template: Any) -> Manifest:
    """RDS's secret with host, port, dbname and url beside its username and password (D1).

    url_template: `database_url("username", "password", …)`.
    """
    more = {"host": place.host, "port": place.port, "dbname": place.name, "url": url_template}
    return {"metadata": metadata(DATABASE_SECRET, namespace, {"app.kubernetes.io/part-of": PART_OF}),
            "spec": {"refreshInterval": REFRESH_INTERVAL,
                     "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
                     "target": {"name": DATABASE_SECRET, "creationPolicy": "Owner",
                                "template": {"mergePolicy": "Merge", "data": more}},
                     "dataFrom": [{"extract": {"key": key}}]}}
