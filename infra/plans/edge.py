"""What the edge does, as tables: host names, cache behaviours, firewall rules, security headers (N2–N5, E6)."""

from __future__ import annotations

from dataclasses import dataclass

from infra.settings.model import Domain

# Never answered from outside (E6). Prometheus reads /api/metrics of the pods inside the cluster.
BLOCKED_PATHS = ("/api/metrics", "/admin", "/operational-dashboard")


@dataclass(frozen=True)
class Hosts:
    """Public host names of a stack. `origin` is the load balancer's name for CloudFront only."""

    apex: str
    www: str
    api: str
    origin: str

    @property
    def site(self) -> tuple[str, ...]:
        """Names that CloudFront answers."""
        return (self.apex, self.www)

    @property
    def regional(self) -> tuple[str, ...]:
        """Names that the load balancer answers; CloudFront passes on the viewer's Host."""
        return (self.apex, self.www, self.api, self.origin)


def hosts(domain: Domain) -> Hosts:
    """`staging` + `candlefish.ai` → staging.candlefish.ai, www.staging.candlefish.ai, api.staging.candlefish.ai."""
    apex = f"{domain.prefix}.{domain.name}" if domain.prefix else domain.name
    return Hosts(apex=apex, www=f"www.{apex}", api=f"api.{apex}", origin=f"origin.{apex}")
