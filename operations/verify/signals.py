"""What CloudWatch says: alarms, the CDN's hit rate, the animation's frame rate (M2, M4, M6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.plans.observability.emitted import ANIMATION
from infra.plans.places import EDGE_REGION
from operations.aws import pages
from operations.switches.switch import Switching, switches
from operations.verify.model import Skipped, Unfit
from operations.verify.scene import Scene

HIT_RATE_WINDOW = timedelta(hours=24)
HIT_RATE_REQUESTS = 1_000  # of the window: fewer make a rate by chance
FRAMES_WINDOW = timedelta(minutes=30)
FALLBACK = "ANIMATION_FALLBACK"
SHOWN = 5


def alarms(scene: Scene) -> str:
    """All that the program made are there, and none is on. Those that nothing was reported to yet are quiet."""
    if scene.settings.observability.alarms == "none":
        raise Skipped("the stack has no alarms (observability.alarms is none)")
    wanted = {str(name) for name in scene.outputs.table("alarms").values()}
    found = {each["AlarmName"]: each for region in dict.fromkeys((scene.settings.region, EDGE_REGION))
             for each in _alarms(scene.aws("cloudwatch", region), f"{scene.names.prefix}-")}
    missing = sorted(wanted - set(found))
    if missing:
        raise Unfit(f"{len(missing)} of {len(wanted)} alarms are not there: {_some(missing)}; `up` makes them")
    on = [each for name, each in found.items() if name in wanted and each["StateValue"] == "ALARM"]
    if on:
        raise Unfit(f"{len(on)} of {len(wanted)} alarms are on: " + _some(sorted(
            f"{each['AlarmName']} since {each['StateUpdatedTimestamp']:%Y-%m-%d %H:%M} UTC" for each in on)))
    silent = sum(not found[name].get("ActionsEnabled", True) for name in wanted)
    unfed = sum(found[name]["StateValue"] == "INSUFFICIENT_DATA" for name in wanted)
    return f"{len(wanted)} alarms are quiet" + (f", {unfed} of them without data" if unfed else "") + (
        f", {silent} silenced" if silent else "")


def hit_rate(scene: Scene) -> str:
    """The share of requests that CloudFront answers from its cache, over a day (M4)."""
    distribution = scene.outputs.text("distributionId")
    of = {"DistributionId": distribution, "Region": "Global"}
    requests, rates = (_values(scene, "AWS/CloudFront", name, of, statistic, HIT_RATE_WINDOW, EDGE_REGION)
                       for name, statistic in (("Requests", "Sum"), ("CacheHitRate", "Average")))
    if sum(requests) < HIT_RATE_REQUESTS or not rates:
        raise Skipped(f"CloudFront counted {sum(requests):.0f} requests in {_hours(HIT_RATE_WINDOW)}; "
                      f"{HIT_RATE_REQUESTS} make a rate")
    rate, least = sum(rates) / len(rates), scene.settings.observability.thresholds.cdn_hit_percent
    if rate < least:
        raise Unfit(f"CloudFront answers {rate:.1f} % from its cache; {least:g} % is the objective: a cache key has "
                    "grown, or answers say that they may not be kept")
    return f"{rate:.1f} % of {sum(requests):.0f} requests"


def frame_rate(scene: Scene) -> str:
    """The animation runs as fast as it must at the visitors' (F1)."""
    of = {"Environment": str(scene.settings.environment)}
    frames = _values(scene, ANIMATION, "candlefish_animation_fps", of, "Average", FRAMES_WINDOW, None)
    if not frames:
        raise Skipped(f"no visitor has reported a frame rate in {_hours(FRAMES_WINDOW)}")
    mean, least = sum(frames) / len(frames), scene.settings.observability.thresholds.fps_minimum
    if mean < least:
        raise Unfit(f"the animation runs at {mean:.1f} frames a second; {least:g} is the least: see "
                    "docs/runbooks/performance.md#frame-rate")
    return f"{mean:.1f} frames a second over {_hours(FRAMES_WINDOW)}"


def animation(scene: Scene) -> str:
    """Visitors get the animation, not its fallback, of every pod (K10)."""
    work = Switching(scene.kubernetes, scene.settings, lambda _: None)
    found = [work.status(each) for each in switches(scene.settings) if each.variable == FALLBACK]
    if not found:
        raise Skipped(f"no service has a switch {FALLBACK} (services.NAME.switches)")
    on = [each["service"] for each in found if each["value"] != "false"]
    if on:
        raise Skipped(f"an operator has put {FALLBACK} on for {', '.join(on)}: visitors get the fallback until "
                      f"`candlefish switch animation-fallback off --stack {scene.stack}`")
    old = [each["service"] for each in found if each["with"] < each["pods"]]
    if old:
        raise Unfit(f"pods of {', '.join(old)} have not taken {FALLBACK}=false yet; `candlefish switch "
                    f"animation-fallback off --stack {scene.stack}` replaces them")
    return f"the fallback is off for {', '.join(each['service'] for each in found)}"


def outside(scene: Scene) -> str:
    """CloudWatch's own checks from outside pass (M6)."""
    if not scene.settings.observability.synthetics.enabled:
        raise Skipped("the stack has no canaries (observability.synthetics.enabled is false)")
    if scene.rehearsed:
        raise Skipped("a rehearsal: its canaries do not run")
    name = scene.names.resource("health")
    runs = scene.aws("synthetics").get_canary_runs(Name=name, MaxResults=1)["CanaryRuns"]
    if not runs:
        raise Skipped(f"canary {name} has not run yet")
    status = runs[0]["Status"]
    if status["State"] == "FAILED":
        raise Unfit(f"canary {name} failed: {status.get('StateReason') or 'no reason given'}")
    return f"canary {name}: {status['State'].lower()}"


def _alarms(client: Any, prefix: str) -> list[Any]:
    """Of both kinds: the paginator merges a page's two lists under their own keys."""
    kinds = ("MetricAlarm", "CompositeAlarm")
    return [each for kind in kinds for each in pages(
        client, "describe_alarms", f"{kind}s", AlarmNamePrefix=prefix, AlarmTypes=[kind])]


def _values(scene: Scene, namespace: str, name: str, dimensions: dict[str, str], statistic: str, window: timedelta,
            region: str | None) -> list[float]:
    now = scene.now()
    answer = scene.aws("cloudwatch", region).get_metric_data(
        StartTime=now - window, EndTime=now, MetricDataQueries=[{"Id": "m", "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": [
                {"Name": key, "Value": value} for key, value in dimensions.items()]},
            "Period": 3600 if window >= timedelta(hours=1) else 300, "Stat": statistic}}])
    return [float(value) for each in answer["MetricDataResults"] for value in each["Values"]]


def _hours(window: timedelta) -> str:
    minutes = round(window.total_seconds() / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _some(names: list[str]) -> str:
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
