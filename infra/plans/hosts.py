"""The public names of a stack and where each of them leads (E6)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from infra.settings.model import Domain


@dataclass(frozen=True)
class Hosts:
    """Every name in full, such as `api.staging.candlefish.ai`.

    `origin` is the load balancer's name for CloudFront only, and fails over; `direct` is always this stack's own load
    balancer: what the health check asks, so that a failover does not look like a repair. `rest` is the REST API's name
    for CloudFront only.
    """

    apex: str
    www: str
    api: str
    ws: str
    rest: str
    assets: str
    docs: str
    status: str
    grafana: str
    monitoring: str
    prometheus: str
    origin: str
    direct: str

    @property
    def site(self) -> tuple[str, ...]:
        """Names that the site's distribution answers."""
        return (self.apex, self.www)

    @property
    def static(self) -> tuple[str, ...]:
        """Names that the distribution of the static pages answers."""
        return (self.assets, self.docs, self.status)

    @property
    def operators(self) -> tuple[str, ...]:
        """Names that only operators reach: signed in, and from their ranges."""
        return (self.grafana, self.monitoring, self.prometheus)

    @property
    def regional(self) -> tuple[str, ...]:
        """Names that the load balancer and the APIs answer: ten, as many as a certificate may have (ACM quotas).
        CloudFront passes on the viewer's Host."""
        return (self.apex, self.www, self.api, self.origin, self.direct, self.ws, self.rest, *self.operators)

    @property
    def moving(self) -> tuple[str, ...]:
        """Of the regional names those that another stack's load balancer answers after a failover."""
        return (*self.site, self.api)

    @property
    def by_role(self) -> dict[str, str]:
        """Role (`apex`, `api`, …) → name."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def hosts(domain: Domain) -> Hosts:
    """`staging` + `candlefish.ai` → staging.candlefish.ai, www.staging.candlefish.ai, api.staging.candlefish.ai, …"""
    return _below(f"{domain.prefix}.{domain.name}" if domain.prefix else domain.name)


def also(domain: Domain) -> Hosts | None:
    """Names of the stack that this one can stand in for, if there is one."""
    return _below(domain.also_serves) if domain.also_serves else None


def _below(apex: str) -> Hosts:
    return Hosts(apex=apex, **{field.name: f"{field.name}.{apex}" for field in fields(Hosts) if field.name != "apex"})
