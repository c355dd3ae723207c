"""The function's entry: `handle`.

In:  GET `/experiments?visitor=…&segments=new,mobile`, POST `/experiments/conversions` with `{"visitor", "goal"}`,
     GET `/experiments/report?experiment=…&goal=…` of a REST API (proxy integration).
Out: 200 `{"assignments": {experiment: {"variant", "value"?}}}`; 200 `{"counted": […], "already": […]}`, or 404 when the
     visitor takes part in nothing; 200 `{"experiments": {experiment: {goal: {"control", "variants": …}}}}`.

Environment: EXPERIMENTS_TABLE, EXPERIMENTS, ENVIRONMENT, RETENTION_DAYS, HASH_SECRET_ARN; ALLOWED_ORIGINS for browsers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from common.clients import client
from common.hashing import keys
from common.http import Answer, Refusal, Request, serve
from common.retries import Retries
from common.table import Table
from common.values import Invalid, identifier

from .buckets import Plan
from .catalogue import GOALS, SEGMENTS, Experiment, parse
from .participants import Participants, counter
from .plans import Plans
from .report import Counts, report

METHODS = "GET,POST,OPTIONS"
PLAN_SECONDS = 60.0  # how long plans are used before they are read again


@dataclass
class Kept:
    """What an instance knows from earlier requests."""

    started: float = field(default_factory=time.time)
    read: float = float("-inf")
    plans: Mapping[str, Plan] = field(default_factory=dict)


_kept = Kept()


def handle(event: Any, context: Any) -> dict[str, Any]:
    retries = Retries.within(context)
    return serve(event, lambda request: _route(request, retries), METHODS)


def _route(request: Request, retries: Retries) -> Answer:
    path = request.path.rstrip("/")
    for end, method, route in (("/conversions", "POST", _convert), ("/report", "GET", _report), ("", "GET", _assign)):
        if path.endswith(end):
            if request.method != method:
                raise Refusal(405, "method_not_allowed", f"use {method}")
            try:
                return route(request, Table(client("dynamodb"), os.environ["EXPERIMENTS_TABLE"], retries), retries)
            except Invalid as error:
                raise Refusal(400, error.code, str(error)) from None
    raise Refusal(404, "not_found", "there is no such path")


def _assign(request: Request, table: Table, retries: Retries) -> Answer:
    visitor = identifier("visitor", request.query.get("visitor"))
    segments = frozenset(filter(None, request.query.get("segments", "").split(",")))
    if not segments <= set(SEGMENTS):
        raise Invalid("unknown_segment", f"`segments` must be some of {', '.join(SEGMENTS)}, separated by commas")
    experiments = catalogue()
    found = _participants(table, retries).assign(visitor, keys(retries).all_hashes("visitor", visitor), segments,
                                                 experiments, _plans(table))
    return Answer(200, {"assignments": {name: _shown(experiments[name], variant) for name, variant in found.items()}})


def _convert(request: Request, table: Table, retries: Retries) -> Answer:
    document = request.json()
    if not isinstance(document, dict):
        raise Invalid("not_an_object", "the body must be an object with `visitor` and `goal`")
    visitor, goal = identifier("visitor", document.get("visitor")), document.get("goal")
    if not isinstance(goal, str) or goal not in GOALS:
        raise Invalid("unknown_goal", f"`goal` must be one of {', '.join(GOALS)}")
    reached = _participants(table, retries).reach(keys(retries).all_hashes("visitor", visitor), goal, catalogue())
    if not reached:
        raise Refusal(404, "not_found", "the visitor takes part in no experiment")
    return Answer(200, {"counted": [name for name, new in reached.items() if new],
                        "already": [name for name, new in reached.items() if not new]})


def _report(request: Request, table: Table, _retries: Retries) -> Answer:
    experiments, goal = catalogue(), request.query.get("goal")
    chosen = request.query.get("experiment")
    if chosen is not None and chosen not in experiments:
        raise Invalid("unknown_experiment", f"`experiment` must be one of {', '.join(experiments)}")
    if goal is not None and goal not in GOALS:
        raise Invalid("unknown_goal", f"`goal` must be one of {', '.join(GOALS)}")
    answer: dict[str, Any] = {}
    for experiment in [experiments[chosen]] if chosen else experiments.values():
        totals = {variant: _totals(table, experiment.name, variant) for variant in experiment.percents}
        goals = [goal] if goal else [each for each in GOALS if any(f"goal_{each}" in found
                                                                   for found in totals.values())]
        answer[experiment.name] = {each: report({
            variant: Counts(found.get("visitors", 0), found.get(f"goal_{each}", 0))
            for variant, found in totals.items()}) for each in goals}
    return Answer(200, {"experiments": answer})


def _totals(table: Table, experiment: str, variant: str) -> dict[str, int]:
    totals: dict[str, int] = {}
    for shard in table.query("visitorHash = :count", {":count": counter(experiment, variant)}):
        for name, value in shard.items():
            if isinstance(value, int):
                totals[name] = totals.get(name, 0) + value
    return totals


def _shown(experiment: Experiment, variant: str) -> dict[str, Any]:
    return {"variant": variant, **({"value": experiment.values[variant]} if variant in experiment.values else {})}


def _participants(table: Table, retries: Retries) -> Participants:
    return Participants(table, timedelta(days=int(os.environ["RETENTION_DAYS"])), datetime.now(UTC), retries)


def _plans(table: Table) -> Mapping[str, Plan]:
    if time.time() - _kept.read >= PLAN_SECONDS:
        _kept.plans = Plans(table, _kept.started, time.time()).load(catalogue().values())
        _kept.read = time.time()
    return _kept.plans


@cache
def catalogue() -> dict[str, Experiment]:
    return parse(os.environ["EXPERIMENTS"])
