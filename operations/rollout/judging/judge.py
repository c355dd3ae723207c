"""The judge of a rollout: samples in, verdicts out, without I/O, clock or chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

from operations.rollout.judging import memory
from operations.rollout.judging.sample import Sample
from operations.rollout.judging.sequential import ShareTest
from operations.rollout.judging.state import READINGS, State
from operations.rollout.judging.thresholds import Thresholds
from operations.rollout.judging.verdict import Number, Ruling, Verdict

Said = tuple[Ruling, str]


class Judge:
    """Of one rollout. `begin` each stage, then `observe` every interval of it, in order of time and without gaps.

    The worst that any of the criteria says is the verdict. FAIL and AT_ONCE are final; PAUSE lasts for as long as both
    colours fail.
    """

    def __init__(self, thresholds: Thresholds, state: State | None = None) -> None:
        self.thresholds = at = thresholds
        # Averaged over two alternatives: Wald's ratio for the bad share alone costs up to 11 failed requests before it
        # decides (99 %), with half of that share beside it 9 (decision 44).
        self.errors = ShareTest(at.error_healthy, (max(at.error_bad / 2, 2 * at.error_healthy), at.error_bad),
                                at.times_worse, at.false_alarm, at.missed, at.reading_weight)
        self.slow = ShareTest(at.slow_healthy, (at.slow_bad,), at.times_worse, at.false_alarm, at.missed,
                              at.reading_weight)
        self.state = state or State(self.errors.begin(), self.slow.begin())

    def to_dict(self) -> dict[str, Any]:
        """With the thresholds: a rollout that was killed goes on by those that it began with."""
        return {"thresholds": self.thresholds.to_dict(), "state": self.state.to_dict()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Judge:
        return cls(Thresholds.from_dict(saved["thresholds"]), State.from_dict(saved["state"]))

    def begin(self, stage: int) -> None:
        """Weights have changed: the stage has to be passed on requests of its own; what was bad is not forgotten."""
        fresh = State(self.errors.begin(), self.slow.begin())
        self.state = replace(
            self.state, stage=stage, seconds=0.0, new=fresh.new, live=fresh.live, last=fresh.last, memory=[],
            errors=replace(self.state.errors, stage=0.0), slow=replace(self.state.slow, stage=0.0))

    def observe(self, new: Sample, live: Sample) -> Verdict:
        """Both samples are of the same interval."""
        self._take(new, live)
        ruling, reason = max((*self._at_once(), *self._shares(), self._passed()), key=lambda said: said[0].severity)
        verdict = Verdict(ruling, reason, self.numbers())
        known = self.state.final
        if known and known.ruling.severity >= ruling.severity:
            return Verdict(known.ruling, known.reason, verdict.numbers)
        if ruling.final:
            self.state.final = verdict
        return verdict

    def _take(self, new: Sample, live: Sample) -> None:
        state = self.state
        state.seconds += new.seconds
        state.new, state.live = state.new.plus(new), state.live.plus(live)
        state.new_all, state.live_all = state.new_all.plus(new), state.live_all.plus(live)
        state.last = type(state.new)().plus(new)
        state.errors = self.errors.add(state.errors, new.errors, new, live.errors, live)
        state.slow = self.slow.add(state.slow, new.slow, new, live.slow, live)
        if new.fps is not None:
            state.fps_new = (*state.fps_new, new.fps)[-READINGS:]
        if live.fps is not None:
            state.fps_live = (*state.fps_live, live.fps)[-READINGS:]
        if new.memory_bytes is not None and state.seconds > self.thresholds.memory_warm_up_seconds:
            state.memory = memory.put(state.memory, state.seconds, new.memory_bytes, live.memory_bytes)

    def _at_once(self) -> Iterator[Said]:
        state, at = self.state, self.thresholds
        share = max(state.new.error_share, state.last.error_share)
        if share > at.error_abort and self.errors.is_bad(state.errors) and not self.errors.is_live_alike(state.errors):
            yield Ruling.AT_ONCE, f"{share:.1%} of the new colour's requests fail, more than {at.error_abort:.0%}"
        if len(state.fps_new) == READINGS == len(state.fps_live):
            new, live = median(state.fps_new), median(state.fps_live)
            if new < (1 - at.fps_drop) * live:
                yield Ruling.AT_ONCE, (f"the animation runs at {new:.1f} frames/s, the live colour's at {live:.1f}: "
                                       f"more than {at.fps_drop:.0%} less")
        grown = memory.growth(state.memory)
        if grown and grown.per_minute > at.memory_growth_per_minute:
            yield Ruling.AT_ONCE, (f"the pods' memory grows by {grown.per_minute:.1%} a minute over "
                                   f"{grown.minutes:.1f} minutes, more than {at.memory_growth_per_minute:.1%} beyond "
                                   "the live colour's")
        yield from self._counted("critical_log_errors", "critical errors in the logs", at.critical_log_errors)
        yield from self._counted("critical_animation_failures", "critical failures of the animation",
                                 at.critical_animation_failures)

    def _counted(self, name: str, what: str, limit: int) -> Iterator[Said]:
        new, live = self.state.new_all, self.state.live_all
        count, others = getattr(new, name), getattr(live, name)
        if count < limit:
            return
        if not others or count * live.requests > self.thresholds.times_worse * others * new.requests:
            yield Ruling.AT_ONCE, f"{count} {what} of the new colour; the live one's {others}"
        elif others >= limit:
            yield Ruling.PAUSE, f"both colours have {what}: {count} of the new one, {others} of the live one"

    def _shares(self) -> Iterator[Said]:
        state, at = self.state, self.thresholds
        of_errors = (f"{state.new_all.errors} of {state.new_all.requests} requests of the new colour failed, "
                     f"{state.live_all.errors} of {state.live_all.requests} of the live one")
        of_slow = (f"{state.new_all.slow} of {state.new_all.requests} requests of the new colour took more than "
                   f"{at.latency_seconds:g} s, {state.live_all.slow} of {state.live_all.requests} of the live one")
        bad, alike = self.errors.is_bad(state.errors), self.errors.is_live_alike(state.errors)
        suspect = bad or self.errors.is_suspect(state.errors)
        if bad and not alike:
            yield Ruling.FAIL, f"{of_errors}: more than {at.error_healthy:.2%}"
        elif suspect and self.errors.is_worse(state.errors):
            yield Ruling.FAIL, f"{of_errors}: more than {at.error_healthy:.2%}, and the live colour does better"
        elif suspect and alike:
            yield Ruling.PAUSE, f"{of_errors}: both fail, so the release is not the cause"
        if self.slow.is_bad(state.slow):
            if self.slow.is_live_alike(state.slow):
                yield Ruling.PAUSE, f"{of_slow}: both are slow, so the release is not the cause"
            else:
                yield Ruling.FAIL, f"{of_slow}: its p95 is over the limit"

    def _passed(self) -> Said:
        state, lacking = self.state, []
        if state.seconds < self.thresholds.stage_seconds:
            lacking.append(f"the stage takes {self.thresholds.stage_seconds:.0f} s, {state.seconds:.0f} are over")
        for test, known, what in ((self.errors, state.errors, "errors"), (self.slow, state.slow, "latency")):
            if not test.is_accepted(known):
                lacking.append(f"the test of {what} needs about {test.requests_to_accept(known)} good requests more")
        if self.errors.is_suspect(state.errors):
            lacking.append("errors are above what is healthy, and whether the live colour's are too is not yet clear")
        if state.fps_live and not state.fps_new:
            lacking.append("the live colour reports its frame rate, the new one does not")
        if lacking:
            return Ruling.CONTINUE, "not enough data: " + "; ".join(lacking)
        return Ruling.PASS, (f"{state.new.errors} of {state.new.requests} requests failed and {state.new.slow} were "
                             f"slow in {state.seconds:.0f} s: healthy")

    def numbers(self) -> dict[str, Number]:
        state = self.state
        grown = memory.growth(state.memory)
        return {
            "stage": state.stage, "seconds": round(state.seconds, 3),
            "new_requests": state.new.requests, "new_errors": state.new.errors, "new_slow": state.new.slow,
            "live_requests": state.live.requests, "live_errors": state.live.errors, "live_slow": state.live.slow,
            "rollout_new_requests": state.new_all.requests, "rollout_new_errors": state.new_all.errors,
            "rollout_live_requests": state.live_all.requests, "rollout_live_errors": state.live_all.errors,
            "new_error_percent": round(100 * state.new.error_share, 4),
            "live_error_percent": round(100 * state.live.error_share, 4),
            "new_slow_percent": round(100 * state.new.slow_share, 4),
            "live_slow_percent": round(100 * state.live.slow_share, 4),
            "error_evidence": round(max(state.errors.bad), 4), "error_evidence_stage": round(state.errors.stage, 4),
            "error_evidence_worse": round(state.errors.worse, 4), "slow_evidence": round(max(state.slow.bad), 4),
            "slow_evidence_stage": round(state.slow.stage, 4),
            "evidence_rejects": round(self.errors.reject, 4), "evidence_accepts": round(self.errors.accept, 4),
            "new_fps": median(state.fps_new) if state.fps_new else None,
            "live_fps": median(state.fps_live) if state.fps_live else None,
            "memory_growth_percent_per_minute": round(100 * grown.per_minute, 3) if grown else None,
            "new_critical_log_errors": state.new_all.critical_log_errors,
            "new_critical_animation_failures": state.new_all.critical_animation_failures}
