"""ExternalSecrets: what pods get of Secrets Manager, as it is or composed with what the deployment knows (K8, D1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.plans.kubernetes import PART_OF, Manifest, labels, metadata, secret_name
from infra.settings.model import Service

REFRESH_INTERVAL = "1h"
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


def service_secret(service: Service, namespace: str, store: str, secrets: Mapping[str, Any],
                   database_template: Any = None) -> Manifest:
    """A service's Secret, a key for each variable.

    secrets: what `SecretReference.secret` names → name or ARN in Secrets Manager. A missing one is an error.
    database_template: `database_url("database_username", "database_password", …)`, for references to the key `url` of
    `database`: RDS keeps only user and password.
    """
    missing = sorted({reference.secret for reference in service.secrets} - set(secrets))
    if missing:
        raise ValueError(f"service {service.name} refers to secret {', '.join(missing)}, which the stack does not "
                         f"have; it has {', '.join(sorted(secrets)) or 'none'}")
    data: list[Manifest] = []
    template: dict[str, Any] = {}
    for reference in service.secrets:
        if (reference.secret, reference.key) == ("database", "url"):
            if database_template is None:
                raise ValueError(f"service {service.name}: {reference.variable} is the database's URL, and the program "
                                 "was not told where the database is")
            template[reference.variable] = database_template
            continue
        template[reference.variable] = f"{{{{ .{reference.variable} }}}}"
        data.append(_entry(reference.variable, secrets[reference.secret], reference.key))
    target: Manifest = {"name": secret_name(service), "creationPolicy": "Owner"}
    if len(data) < len(service.secrets):
        data += [_entry(f"database_{key}", secrets["database"], key) for key in ("username", "password")]
        target["template"] = {"data": template}  # replaces what was fetched: user and password are in the URL only
    return {"metadata": metadata(service.name, namespace, labels(service)),
            "spec": {"refreshInterval": REFRESH_INTERVAL,
                     "secretStoreRef": {"kind": "ClusterSecretStore", "name": store}, "target": target, "data": data}}


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
