"""What keeps the platform safe: recovery points and restore tests, certificates, secrets, waivers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from infra.plans.backup import testing_name
from infra.settings.platform import Feature
from operations.aws import pages
from operations.errors import OperationError
from operations.recovery import points
from operations.recovery.account import Account
from operations.recovery.model import State as PointState
from operations.report.model import Matter, State, Told, judged
from operations.upkeep import certificates as upkeep
from operations.upkeep.secrets import Secrets

SOON = timedelta(days=60)  # before a waiver's end: time to mend what it covers, or to argue anew


def recovery(matter: Matter) -> Told:
    """Now, against D6: what was a month ago can't be restored any more."""
    scene = matter.scene
    found = points.look(Account(scene.stack, scene.settings, scene.aws), scene.now())
    if not found:
        raise OperationError("there is no recovery point, and nothing that should have one")
    states = Counter(each.state.value for each in found)
    bad = [f"{each.point.resource} ({each.point.how}, {each.point.region}): {'; '.join(each.faults)}"
           for each in found if each.state is PointState.BAD]
    head = f"{states[PointState.GOOD.value]} of {len(found)} recovery points are within their objective"
    return Told(judged(bad), (head, *bad), {"points": len(found), **states, "bad": bad})


def restore_tests(matter: Matter) -> Told:
    """AWS Backup's of the month."""
    scene = matter.scene
    if not scene.settings.backup.restore_test:
        return Told(State.GOOD, ("the stack's settings have none (backup.restoreTest)",))
    backup, name = scene.aws("backup"), testing_name(scene.settings.environment)
    plan = backup.get_restore_testing_plan(RestoreTestingPlanName=name)["RestoreTestingPlan"]
    jobs = [_job(each) for each in pages(backup, "list_restore_jobs", "RestoreJobs", ByCreatedAfter=matter.first,
                                         ByCreatedBefore=matter.until,
                                         ByRestoreTestingPlanArn=plan["RestoreTestingPlanArn"])]
    failed = [each for each in jobs if each["status"] != "COMPLETED"]
    head = f"{len(jobs) - len(failed)} of {len(jobs)} restores of {name} ended well" if jobs else \
        f"{name} restored nothing in the month"
    return Told(judged(failed or not jobs), (head, *(f"{each['kind']}: {each['status']} {each['why']}".rstrip()
                                                     for each in failed)), {"plan": name, "jobs": jobs})


def certificates(matter: Matter) -> Told:
    scene = matter.scene
    found = upkeep.in_account(scene.aws, scene.settings.region, scene.hosts)
    if Feature.CERTIFICATES in scene.settings.addons.features:
        found += upkeep.in_cluster(scene.kubernetes)
    if not found:
        raise OperationError(f"no certificate of {scene.hosts.apex} was found")
    now, least = scene.now(), scene.settings.observability.thresholds.certificate_days
    wrong = [f"{each.name}, {each.identity}: {fault}" for each in found for fault in upkeep.faults(each, now, least)]
    lasting = [days for each in found if (days := each.days(now)) is not None]
    head = f"{len(found)} certificates" + (f", the first ends in {min(lasting)} days" if lasting else "")
    return Told(judged(wrong), (head, *wrong), [
        {"name": each.name, "where": each.where, "ends": each.ends.isoformat() if each.ends else None,
         "days": each.days(now)} for each in found])


def secrets(matter: Matter) -> Told:
    scene, now = matter.scene, matter.scene.now()
    found = Secrets(scene.stack, scene.settings, scene.aws("secretsmanager"), scene.aws("rds")).all()
    if not found:
        raise OperationError(f"Secrets Manager has no secret of {scene.stack}")
    late = [f"{each.name} is overdue since {each.due:%Y-%m-%d}" for each in found if each.overdue(now)]
    stuck = [f"a rotation of {each.name} has begun and not ended" for each in found if each.pending]
    oldest = max(found, key=lambda each: now - each.changed)
    head = f"{len(found)} secrets; the oldest value is that of {oldest.name}, {(now - oldest.changed).days} days"
    return Told(judged(late or stuck), (head, *late, *stuck), [
        {"name": each.name, "ageDays": (now - each.changed).days, "everyDays": each.every,
         "rotated": each.rotated.isoformat() if each.rotated else None} for each in found])


def waivers(matter: Matter) -> Told:
    today = matter.scene.now().date()
    ends = [f"{each.control} for {each.resource} {'ended' if each.expires < today else 'ends'} {each.expires}"
            for each in matter.accepted if each.expires <= today + SOON]
    head = f"{len(matter.accepted)} findings are accepted; {len(ends)} of the waivers end within {SOON.days} days"
    return Told(judged(ends), (head, *ends), [
        {"control": each.control, "resource": each.resource, "expires": each.expires.isoformat()}
        for each in matter.accepted])


def _job(entry: Any) -> dict[str, Any]:
    return {"kind": entry.get("ResourceType", ""), "status": entry["Status"], "why": entry.get("StatusMessage", ""),
            "created": entry["CreationDate"].isoformat(), "validation": entry.get("ValidationStatus")}
