"""The monthly report: its parts in their order, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.plans.prices import PriceBookError, book
from infra.plans.stack_costs import estimate
from infra.settings.costs import BANDS
from kube.errors import ApiError
from kube.kubeconfig import KubeconfigError
from operations.cost import comparison, explorer
from operations.errors import OperationError
from operations.report import safety, service
from operations.report.model import Matter, Part, Section, State, Told, judged
from operations.upkeep.capacity import Capacity

UNREADABLE = (OperationError, ApiError, KubeconfigError, BotoCoreError, ClientError, PriceBookError)


def costs(matter: Matter) -> Told:
    """Actual against the estimate and the band (E3)."""
    scene = matter.scene
    settings, expected = scene.settings, estimate(scene.settings, book())
    paid = explorer.spent(scene.aws("ce", "us-east-1"), settings.environment.value, matter.month)
    if not paid.services:
        raise OperationError("Cost Explorer counted nothing: is the tag Environment activated for cost allocation? "
                             "(docs/first-time.md)")
    found, band = explorer.document(scene.stack, matter.month, paid, expected, settings.monthly_budget_usd), \
        BANDS[settings.environment]
    inside = comparison.inside(expected, band)
    above = paid.total > band.highest
    sentences = [f"{paid.total:,.0f} USD were spent; the estimate is {found['estimateSoFar']:,.0f} USD for the same "
                 f"days, the budget {found['budget']:,.0f} USD, the band {band}"]
    if paid.forecast is not None:
        sentences.append(f"AWS expects {paid.forecast:,.0f} USD for the whole month")
    if above or inside is False:
        sentences.append("what was spent is above the band" if above else "the estimate is not inside the band")
    return Told(judged(found["overBudget"] or above or inside is False), tuple(sentences),
                {**found, "band": {"lowest": band.lowest, "highest": band.highest, "estimateInside": inside}})


def capacity(matter: Matter) -> Told:
    """Now: whether a rollout of every service at its maximum fits."""
    scene = matter.scene
    found = Capacity(scene.kubernetes, scene.settings, scene.aws("eks")).look()
    largest = found["largest"]
    short = [f"{each['service']} at its maximum is short of {each['cpuMillis']}m CPU and {each['memoryMib']} MiB"
             for each in largest["shortfalls"]]
    head = (f"a rollout of every service at its maximum fits on {largest['nodes']} nodes; left are "
            f"{largest['freeCpuMillis']}m CPU and {largest['freeMemoryMib']} MiB") if largest["fits"] else \
        "a rollout of every service at its maximum does not fit"
    return Told(judged(not largest["fits"]), (head, *short), found)


PARTS = (
    Part("costs", "Costs", costs),
    Part("requests", "Availability, errors, latency", service.requests),
    Part("alarms", "Alarms", service.alarms),
    Part("releases", "Releases", service.releases),
    Part("recovery", "Recovery points", safety.recovery),
    Part("restore-tests", "Restore tests", safety.restore_tests),
    Part("certificates", "Certificates", safety.certificates),
    Part("secrets", "Secrets", safety.secrets),
    Part("waivers", "Waivers", safety.waivers),
    Part("capacity", "Capacity", capacity),
)


def sections(matter: Matter, parts: Sequence[Part] = PARTS) -> list[Section]:
    """One that can't be read says why, and keeps none of the others from being read."""
    return [Section(part, _told(part, matter)) for part in parts]


def _told(part: Part, matter: Matter) -> Told:
    try:
        return part.look(matter)
    except UNREADABLE as error:
        return Told(State.UNAVAILABLE, (str(error) or type(error).__name__,))


def named(found: Sequence[Section], state: State) -> list[str]:
    return [each.part.name for each in found if each.told.state is state]


def document(matter: Matter, found: Sequence[Section]) -> dict[str, Any]:
    return {
        "stack": matter.scene.stack, "month": f"{matter.month.first:%Y-%m}", "from": matter.month.first.isoformat(),
        "until": matter.month.until.isoformat(), "at": matter.scene.now().isoformat(timespec="seconds"),
        "unavailable": named(found, State.UNAVAILABLE), "attention": named(found, State.ATTENTION),
        "sections": [{"name": each.part.name, "state": each.told.state.value, "sentences": list(each.told.sentences),
                      "data": each.told.data} for each in found]}


def markdown(matter: Matter, found: Sequence[Section]) -> str:
    return "\n".join(_lines(matter, found)) + "\n"


def _lines(matter: Matter, found: Sequence[Section]) -> Iterator[str]:
    month, scene = matter.month, matter.scene
    yield from (f"# Report of {scene.stack}, {month.first:%Y-%m}", "",
                f"Made {scene.now():%Y-%m-%d %H:%M} UTC, for {month.first} until before {month.until}. Recovery "
                "points, certificates, secrets, waivers and capacity are as they are now.", "",
                "| part | state | |", "|---|---|---|")
    yield from (f"| {each.part.title} | {each.told.state} | {_cell(each.told.sentences[0])} |" for each in found)
    for each in found:
        if len(each.told.sentences) > 1:
            yield from ("", f"## {each.part.title}", "", *(f"* {text}" for text in each.told.sentences[1:]))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
