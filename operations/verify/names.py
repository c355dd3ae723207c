"""Names and certificates: DNS, TLS (E6, N2)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from infra.plans.places import EDGE_REGION
from operations.aws import pages
from operations.upkeep.certificates import faults, in_account, in_cluster
from operations.verify.model import Skipped, Unfit
from operations.verify.scene import Scene
from operations.verify.web import TIMEOUT_SECONDS

AT_ONCE = 4
FLOOR = "TLSv1.2"  # N2
# Of API Gateway's policies those that refuse what is older ("Security policies for custom domain names").
MODERN = ("TLS_1_2", "SecurityPolicy_TLS12", "SecurityPolicy_TLS13")


def records(scene: Scene) -> str:
    """Each public name has a record in the stack's zone that leads to what the stack has."""
    zone, wanted = scene.outputs.text("zone", "id"), scene.outputs.table("hosts")
    found: dict[str, set[str]] = {}
    for entry in pages(scene.aws("route53"), "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone):
        if entry["Type"] in ("A", "AAAA", "CNAME"):
            values = [each["Value"] for each in entry.get("ResourceRecords") or ()]
            target = entry.get("AliasTarget", {}).get("DNSName")
            found.setdefault(entry["Name"].rstrip("."), set()).update(
                _name(value) for value in [*values, *([target] if target else [])])
    missing = sorted(host for host in wanted.values() if host not in found)
    if missing:
        raise Unfit(f"zone {zone} has no record of {', '.join(missing)}; `up` makes them")
    site = _name(scene.outputs.text("distributionDomain"))
    wrong = [host for host in scene.hosts.site if site not in found[host]]
    if wrong:
        raise Unfit(f"{', '.join(wrong)} does not lead to the site's distribution {site}, but to "
                    f"{', '.join(sorted(found[wrong[0]]))}")
    return f"{len(wanted)} names have records in zone {zone}"


def resolved(scene: Scene) -> str:
    """Each public name resolves from here."""
    _expect_public(scene, "its names are this machine's ports")
    names = sorted(scene.outputs.table("hosts").values())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        unknown = [name for name, found in zip(names, pool.map(_resolves, names), strict=True) if not found]
    if unknown:
        raise Unfit(f"{', '.join(unknown)} does not resolve from here; are the zone's name servers the domain's at its "
                    "registrar?")
    return f"{len(names)} names resolve"


def handshakes(scene: Scene) -> str:
    """What visitors connect to shows a trusted certificate with days left, by TLS 1.2 or later."""
    _expect_public(scene, "it is plain HTTP on this machine")
    hosts = scene.hosts
    names = (*hosts.site, hosts.api, hosts.ws, *hosts.static)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = list(pool.map(lambda name: handshake(name, scene.now()), names))
    least = scene.settings.observability.thresholds.certificate_days
    short = [f"{name} {days} days" for name, (days, _) in zip(names, seen, strict=True) if days < least]
    if short:
        raise Unfit(f"certificates end within {least:.0f} days: {', '.join(short)}; see `candlefish certificates "
                    f"check --stack {scene.stack}`")
    return f"{len(names)} names: {', '.join(sorted({version for _, version in seen}))}, " \
           f"{min(days for days, _ in seen)} days left"


def handshake(name: str, now: datetime, port: int = 443, context: ssl.SSLContext | None = None) -> tuple[int, str]:
    """Days left, and the version. Raises Unfit."""
    context = context or ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        with socket.create_connection((name, port), TIMEOUT_SECONDS) as plain, \
                context.wrap_socket(plain, server_hostname=name) as secured:
            ends = ssl.cert_time_to_seconds(str((secured.getpeercert() or {})["notAfter"]))
            version = secured.version() or ""
    except (OSError, ValueError) as error:
        raise Unfit(f"{name}: {error}") from error
    return (datetime.fromtimestamp(ends, UTC) - now).days, version


def floors(scene: Scene) -> str:
    """CloudFront, the load balancer and the APIs refuse what is older than TLS 1.2."""
    wrong = []
    cloudfront = scene.aws("cloudfront", EDGE_REGION)
    for output in ("distributionId", "staticDistributionId"):
        name = scene.outputs.text(output)
        config = cloudfront.get_distribution_config(Id=name)["DistributionConfig"]
        wrong += _old(f"distribution {name}", config["ViewerCertificate"].get("MinimumProtocolVersion", "none"),
                      lambda policy: policy.startswith((FLOOR, "TLSv1.3")))
    elb = scene.aws("elbv2")
    (listener,) = elb.describe_listeners(ListenerArns=[scene.outputs.text("listenerArn")])["Listeners"]
    policy = listener.get("SslPolicy", "none")
    (known,) = elb.describe_ssl_policies(Names=[policy])["SslPolicies"]
    wrong += _old("the load balancer's listener", policy,
                  lambda _: not set(known["SslProtocols"]) - {"TLSv1.2", "TLSv1.3"})
    wrong += _api_names(scene)
    if wrong:
        raise Unfit(f"older than TLS 1.2 is let in: {'; '.join(wrong)}")
    return "CloudFront, load balancer and APIs take TLS 1.2 at least"


def _api_names(scene: Scene) -> Iterable[str]:
    sockets = scene.aws("apigatewayv2").get_domain_name(DomainName=scene.hosts.ws)["DomainNameConfigurations"]
    rest = scene.aws("apigateway").get_domain_name(domainName=scene.hosts.rest)
    for where, policies in ((scene.hosts.ws, [each.get("SecurityPolicy") for each in sockets]),
                            (scene.hosts.rest, [rest.get("securityPolicy")])):
        for policy in policies:
            yield from _old(where, str(policy), lambda found: found.startswith(MODERN))


def _old(where: str, policy: str, modern: Any) -> list[str]:
    return [] if modern(policy) else [f"{where} has policy {policy}"]


def _expect_public(scene: Scene, otherwise: str) -> None:
    if scene.rehearsed:
        raise Skipped(f"a rehearsal: {otherwise}")


def _resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, 443))
    except OSError:
        return False


def _name(value: Any) -> str:
    return str(value).rstrip(".").removeprefix("dualstack.").lower()



def certificates(scene: Scene) -> str:
    """Those of ACM, and of cert-manager where the cluster has it, are issued and not about to end. A rehearsal has no
    cert-manager that issues any."""
    least = scene.settings.observability.thresholds.certificate_days
    found = in_account(scene.aws, scene.settings.region, scene.hosts)
    if "certificates" in scene.settings.addons.features and not scene.rehearsed:
        found += in_cluster(scene.kubernetes)
    if not found:
        raise Unfit(f"there is no certificate of {scene.hosts.apex}; `up` makes it")
    wrong = [f"{each.name} ({each.where}) {fault}" for each in found for fault in faults(each, scene.now(), least)]
    if wrong:
        raise Unfit("; ".join(wrong))
    days = min(left for each in found if (left := each.days(scene.now())) is not None)
    return f"{len(found)} certificates, {days} days left at least"
