"""Sequential tests of a share: is it healthy, is it bad, and is the live colour's the same? docs/judging.md.

Likelihood ratios of Bernoulli trials (Wald, Sequential Analysis, 1947). Under the healthy share a ratio is a martingale
that starts at 1, so that it ever reaches 1/α has at most the probability α, however often one looks and whenever one
stops (Ville 1939; Ramdas et al., Statistical Science 38 (2023) 576). All values are natural logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, log, log1p, sqrt

from operations.rollout.judging.sample import Sample

OUTAGE_REQUESTS = 100  # a reading of so many of which most fail is no burst, and decides alone


@dataclass(frozen=True)
class Ratio:
    """Share `bad` against share `healthy`."""

    healthy: float
    bad: float

    @cached_property
    def hit(self) -> float:
        return log(self.bad / self.healthy)

    @cached_property
    def miss(self) -> float:
        return log1p(-self.bad) - log1p(-self.healthy)

    def of(self, hits: int, trials: int) -> float:
        """What `hits` among `trials` add to the evidence for `bad`."""
        return hits * self.hit + (trials - hits) * self.miss


@dataclass
class Evidence:
    """The state of one test of one share.

    bad: for each alternative, over the whole rollout: rolls back. stage: of the present stage alone: passes it.
    between: for the share half way (geometrically) between healthy and bad. worse: that the new colour's share is
    `times_worse` the live one's. live: that the live colour is not healthy now (a CUSUM, which forgets good times).
    """

    bad: tuple[float, ...]
    stage: float = 0.0
    between: float = 0.0
    worse: float = 0.0
    live: float = 0.0


@dataclass(frozen=True)
class ShareTest:
    """alternatives: bad shares over which the evidence is averaged; the last one is what must not be missed.
    reading_weight: the part of `reject` that one reading can add at most: the tests assume that requests fail
    independently, and those of one reading may have one cause (retries, a pod that is replaced).
    """

    healthy: float
    alternatives: tuple[float, ...]
    times_worse: float
    false_alarm: float
    missed: float
    reading_weight: float

    @cached_property
    def reject(self) -> float:
        """Wald's upper bound, log((1 − β) / α)."""
        return log((1 - self.missed) / self.false_alarm)

    @cached_property
    def accept(self) -> float:
        """Wald's lower bound, log(β / (1 − α))."""
        return log(self.missed / (1 - self.false_alarm))

    @cached_property
    def floor(self) -> float:
        """Good times protect no release that turns bad later: what is remembered of them ends here. At half of it, a
        healthy release at 1,000 requests/s would reach `reject` from the floor in about 1 of 1,000 stages."""
        return 2 * self.accept

    @cached_property
    def ratios(self) -> tuple[Ratio, ...]:
        return tuple(Ratio(self.healthy, share) for share in self.alternatives)

    @cached_property
    def middle(self) -> Ratio:
        return Ratio(self.healthy, sqrt(self.healthy * self.alternatives[-1]))

    def begin(self) -> Evidence:
        return Evidence(bad=tuple(0.0 for _ in self.alternatives))

    def add(self, known: Evidence, hits: int, new: Sample, live_hits: int, live: Sample) -> Evidence:
        """hits: errors, or slow requests, of the new colour in the interval."""
        def moved(value: float, gain: float, floor: float, decides_alone: bool) -> float:
            """After good times, the third bad reading in a row decides."""
            most = inf if decides_alone else max(value, -self.reject / 2) + self.reading_weight * self.reject
            return max(floor, min(value + gain, most))

        outage, live_outage = _most_fail(hits, new.requests), _most_fail(live_hits, live.requests)
        return Evidence(
            bad=tuple(moved(value, ratio.of(hits, new.requests), self.floor, outage)
                      for value, ratio in zip(known.bad, self.ratios, strict=True)),
            stage=max(self.floor, known.stage + self.ratios[-1].of(hits, new.requests)),
            between=moved(known.between, self.middle.of(hits, new.requests), self.floor, outage),
            worse=moved(known.worse, self._compared(hits, new.requests, live_hits, live.requests), self.floor, outage),
            live=moved(known.live, self.middle.of(live_hits, live.requests), 0.0, live_outage))

    def _compared(self, hits: int, trials: int, live_hits: int, live_trials: int) -> float:
        """Given that so many requests failed: which colour's were they? Under equal shares each is the new colour's
        with the probability of its part of the traffic, whatever the share is and however it changes."""
        both = trials + live_trials
        if not trials or not live_trials:
            return 0.0
        weighed = self.times_worse * trials + live_trials
        return hits * log(self.times_worse * both / weighed) + live_hits * log(both / weighed)

    def is_bad(self, known: Evidence) -> bool:
        """The mean of several such ratios is one again, so that the bound holds for it too."""
        most = max(known.bad)
        return most + log(sum(exp(value - most) for value in known.bad) / len(known.bad)) >= self.reject

    def is_accepted(self, known: Evidence) -> bool:
        return known.stage <= self.accept

    def is_suspect(self, known: Evidence) -> bool:
        return known.between >= self.reject + log(2)

    def is_worse(self, known: Evidence) -> bool:
        return known.worse >= self.reject

    def is_live_alike(self, known: Evidence) -> bool:
        """The live colour fails too, and nothing shows that the new one is worse. Half the bound: the live colour's
        failing must be seen by the time that the new one's is, from less than a tenth of its requests."""
        return known.live >= self.reject / 2 and not self.is_worse(known)

    def requests_to_accept(self, known: Evidence) -> int:
        """How many further good requests would do."""
        return max(0, int((self.accept - known.stage) / self.ratios[-1].miss) + 1)


def _most_fail(hits: int, trials: int) -> bool:
    return trials >= OUTAGE_REQUESTS and 2 * hits > trials
