"""Physical names that the outside world knows (E4). Everything else is auto-named by Pulumi."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Each name carries the environment, so that several stacks live in one account."""

    environment: str

    @property
    def cluster(self) -> str:
        return f"candlefish-{self.environment}"

    @property
    def prefix(self) -> str:
        return f"{self.environment}-candlefish"

    def resource(self, kind: str) -> str:
        """Data stores, functions, dashboards and roles: `production-candlefish-db`."""
        return f"{self.prefix}-{kind}"

    @property
    def roles(self) -> dict[str, str]:
        """Roles that pipelines and people take on, by key."""
        return {key: f"candlefish-{key}-{self.environment}" for key in ("deploy", "preview", "on-call")}

    @property
    def boundary(self) -> str:
        return f"candlefish-boundary-{self.environment}"

    @property
    def web_acl(self) -> str:
        return f"candlefish-aesthetic-defense-{self.environment}"

    @property
    def edge_function(self) -> str:
        return f"performance-optimizer-{self.environment}"

    @property
    def jwt_secret(self) -> str:
        return f"candlefish/jwt-key-{self.environment}"

    @property
    def secret_prefix(self) -> str:
        """Of what operators fill: the name goes on with what it is, and a suffix of Pulumi's."""
        return f"candlefish-{self.environment}"

    def repository(self, service: str) -> str:
        return f"candlefish-{service}-{self.environment}"

    def application_log_group(self) -> str:
        return f"/candlefish/{self.environment}/application"

    def dashboard_url(self, region: str) -> str:
        """The console's page of the environment's CloudWatch dashboard (M1)."""
        return (f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
                f"#dashboards/dashboard/{self.resource('animation')}")

    @property
    def cluster_log_groups(self) -> dict[str, str]:
        """What the cluster's log shipper writes to (M1)."""
        website = f"/aws/eks/{self.resource('website')}"
        return {"application": self.application_log_group(), "animation": f"{website}/animation",
                "performance": f"{website}/performance"}
