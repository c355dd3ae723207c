"""Traffic for replays: a service, its two colours, and a source that shows their requests late and in pieces."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from operations.rollout.judging.exposure import blind_seconds, weight_percent
from operations.rollout.judging.judge import Judge
from operations.rollout.judging.sample import Sample
from operations.rollout.judging.thresholds import Thresholds
from operations.rollout.judging.verdict import Ruling

EXACT_BELOW = 50  # expected hits; above it a rounded normal number differs by less than a hit in its quantiles
STAGES = (10, 25, 50, 100)
HOLD_SECONDS = 600.0


@dataclass(frozen=True)
class Reading:
    """How a source reads. interval_seconds 0: in the first stage as often as 10 failed requests demand of the rate, at
    most every 15 s, and so from then on. lowered: the first weight is what they demand of the source."""

    name: str
    interval_seconds: float = 0.0
    delay_seconds: float = 0.0
    lowered: bool = False

    def interval(self, rate: float, stage: int) -> float:
        return self.interval_seconds or (15.0 if stage else min(15.0, 75 / (rate * STAGES[0] / 100)))


DEMANDED = Reading("as demanded")
PROMETHEUS = Reading("Prometheus", 30.0, 15.0, lowered=True)  # scraped every 30 s, so 15 s old on average
CLOUDWATCH = Reading("CloudWatch", 60.0, 120.0)  # whole minutes, two minutes late


@dataclass(frozen=True)
class Scenario:
    """Shares 0 to 1. burst: mean number of errors that come together; storm: they hit both colours alike."""

    name: str
    new_errors: float
    live_errors: float
    reading: Reading = DEMANDED
    new_slow: float = 0.01
    live_slow: float = 0.01
    burst: float = 1.0
    storm: bool = False
    slowest: float = 1.0  # requests a second of the service
    fastest: float = 1000.0


@dataclass(frozen=True)
class Outcome:
    """result: promoted, rolled-back, paused or held. failed: requests of the new colour until the weights were back,
    those included that no reading had shown. stage: it ended in. seconds: of readings."""

    result: str
    rate: float
    failed: int
    stage: int
    seconds: float


def replay(scenario: Scenario, at: Thresholds, seed: str) -> Outcome:
    rng = random.Random(seed)
    rate = math.exp(rng.uniform(math.log(scenario.slowest), math.log(scenario.fastest)))
    reading, judge, failed, total = scenario.reading, Judge(at), 0, 0.0
    blind = blind_seconds(reading.interval(rate, 0), reading.delay_seconds)
    weights = [float(percent) for percent in STAGES]
    if reading.lowered:
        weights[0] = weight_percent(at, STAGES[0], rate, blind)
    for stage, percent in enumerate(weights):
        judge.begin(stage)
        seconds, interval = 0.0, reading.interval(rate, stage)
        while True:
            new, live = traffic(rng, scenario, rate, percent / 100, interval)
            failed += new.errors
            seconds += interval
            total += interval
            ruling = judge.observe(new, live).ruling
            if ruling is Ruling.PASS:
                break
            if ruling is not Ruling.CONTINUE or seconds >= at.stage_seconds + HOLD_SECONDS:
                unseen = hits(rng, rate * percent / 100 * reading.delay_seconds, scenario.new_errors)
                result = "held" if ruling is Ruling.CONTINUE else "paused" if ruling is Ruling.PAUSE else "rolled-back"
                return Outcome(result, rate, failed + unseen, stage, total)
    return Outcome("promoted", rate, failed, len(weights), total)


def traffic(rng: random.Random, scenario: Scenario, rate: float, weight: float,
            seconds: float) -> tuple[Sample, Sample]:
    """One interval of both colours."""
    new, live = (_poisson(rng, rate * share * seconds) for share in (weight, 1 - weight))
    if scenario.burst > 1:
        new_errors, live_errors = _bursts(rng, scenario, new, live)
    else:
        new_errors, live_errors = hits(rng, new, scenario.new_errors), hits(rng, live, scenario.live_errors)
    return (Sample(seconds, new, new_errors, hits(rng, new, scenario.new_slow)),
            Sample(seconds, live, live_errors, hits(rng, live, scenario.live_slow)))


def hits(rng: random.Random, trials: float, share: float) -> int:
    """A binomial number: by the gaps between hits, or from the normal distribution where there are many."""
    if share <= 0 or trials < 1:
        return 0
    mean = trials * share
    if mean >= EXACT_BELOW:
        return min(int(trials), max(0, round(rng.gauss(mean, math.sqrt(mean * (1 - share))))))
    found, at, gap = 0, 0, math.log1p(-share)
    while True:
        at += int(math.log(1 - rng.random()) / gap) + 1
        if at > trials:
            return found
        found += 1


def _poisson(rng: random.Random, mean: float) -> int:
    if mean >= EXACT_BELOW:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count


def _bursts(rng: random.Random, scenario: Scenario, new: int, live: int) -> tuple[int, int]:
    """Bursts of a geometric number of errors, in all as many as the shares say."""
    errors = [0, 0]
    for colour, trials, share in ((0, new, scenario.new_errors), (1, live, scenario.live_errors)):
        for _ in range(hits(rng, trials, share / scenario.burst)):
            size = 1 + int(math.log(1 - rng.random()) / math.log1p(-1 / scenario.burst))
            for _ in range(size):
                both = new + live
                hit = int(rng.random() * both >= new) if scenario.storm else colour
                errors[hit] += 1
    return min(errors[0], new), min(errors[1], live)
