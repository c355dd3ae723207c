"""Asks the judge, interval by interval. All that it knows is in the journal: who goes on elsewhere says the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.rollout.journal import Journal
from operations.rollout.judging import Judge, Sample, Thresholds, Verdict
from operations.rollout.judging.exposure import OWN_FAILURES, blind_seconds, requests_per_second, weight_percent
from operations.rollout.judging.sources import Source, SourceError

RETRY_SECONDS = 5.0  # after a source could not answer, at most
CATCH_UP = 10  # intervals that are read at once after a pause, at most: Prometheus looks back 15 minutes
RATED = 5  # intervals that the rate of requests is taken from
Reading = tuple[datetime, Sample, Sample]  # its end, the new colour's, the live one's


class Assessor:
    """Of one rollout. Reads in a thread of its own, so that a slow source does not hide another's hand, or an abort."""

    def __init__(self, journal: Journal, source: Source, thresholds: Thresholds, say: Callable[[str], None],
                 now: Callable[[], float] = time.time) -> None:
        self._journal, self._source, self._say, self._now = journal, source, say, now
        record = journal.record
        self._judge = Judge.from_dict(record.judge) if record.judge else Judge(thresholds)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readings")
        self._reading: Future[Reading] | None = None
        self._not_before, self._trouble = 0.0, ""
        known = record.verdict if record.judged == record.stage else None
        self.verdict = Verdict.from_dict(known) if known else None  # of the stage at work; None: nothing was read in it

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def trouble(self) -> str:
        """Why the last reading failed; empty: it did not."""
        return self._trouble

    def look(self) -> Verdict | None:
        """Takes what has been read, and begins to read what is due. Never waits. `entered` or `held` of the record
        must be there: since then the new colour has its share."""
        if self._reading is None:
            self._begin()
        elif self._reading.done():
            done, self._reading = self._reading, None
            self._take(done)
        return self.verdict

    def _began(self) -> float:
        return self._journal.record.entered or self._journal.record.held

    def _begin(self) -> None:
        record, now = self._journal.record, self._now()
        if now < self._not_before:
            return
        if record.judged != record.stage:
            self.verdict = None
        mark = datetime.fromtimestamp(record.mark, UTC) if record.mark else self._readable(self._began())
        until = min(self._readable(now), mark + CATCH_UP * self._interval)
        if until - mark >= self._interval:
            self._reading = self._pool.submit(self._read, record.idle, record.live, mark, until)

    @property
    def _interval(self) -> timedelta:
        return timedelta(seconds=self._source.interval_seconds)

    def _readable(self, at: float) -> datetime:
        return self._source.readable(datetime.fromtimestamp(at, UTC))

    def _read(self, new: str, live: str, since: datetime, until: datetime) -> Reading:
        return until, self._source.read(new, since, until), self._source.read(live, since, until)

    def _take(self, reading: Future[Reading]) -> None:
        try:
            until, new, live = reading.result()
        except SourceError as error:
            self._not_before = self._now() + min(RETRY_SECONDS, self._source.interval_seconds)
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._say(f"nothing is judged: {error}")
            return
        self._trouble = ""
        record = self._journal.record
        verdict = self._judge.observe(new, live)
        judged = record.judged
        if judged != record.stage:  # until its weights were there, the stage before was read
            if until.timestamp() >= self._began():
                self._judge.begin(record.stage)
                judged = record.stage
            self.verdict = verdict if verdict.ruling.final else None
        else:
            self.verdict = verdict
        said = record.verdict["ruling"] if record.verdict else ""
        changes: dict[str, Any] = {
            "judge": _plain(self._judge.to_dict()), "judged": judged, "mark": until.timestamp(),
            "verdict": _plain(self.verdict.to_dict()) if self.verdict else None}
        if self.verdict is not None and verdict.ruling != said:
            self._say(f"{verdict.ruling}: {verdict.reason}")
            self._journal.note(record.noted(f"{verdict.ruling}: {verdict.reason}", **changes))
        else:
            self._journal.note(replace(record, **changes))

    # What a first stage costs

    def exposure(self, percent: float) -> tuple[float, str]:
        """The most percent that `failedRequests` allows, and what `percent` costs, as a sentence."""
        at = self._judge.thresholds
        blind = blind_seconds(self._source.interval_seconds, self._source.delay_seconds)
        late = f"readings show a failed request after up to {blind:.0f} s"
        until = self._readable(self._now())
        try:
            sample = self._source.read(self._journal.record.live, until - RATED * self._interval, until)
        except SourceError as error:
            return percent, f"{late}; what {percent:g} % cost can't be told: {error}"
        if not sample.requests:
            return percent, (f"{late}; what {percent:g} % cost can't be told: the live colour had no requests in the "
                             f"{sample.seconds:.0f} s before")
        rate = sample.requests / sample.seconds
        allowed = int(10 * weight_percent(at, percent, rate, blind)) / 10
        if allowed >= percent or requests_per_second(at, blind) >= rate * percent / 100:
            return percent, f"{late}: {percent:g} % of {rate:.1f} requests/s cost at most {at.failed_requests} of them"
        cost = OWN_FAILURES + at.error_bad * blind * rate * percent / 100
        return max(allowed, 0.1), (f"{late}: with {percent:g} % of {rate:.1f} requests/s a release with "
                                   f"{at.error_bad:.1%} of errors costs about {cost:.0f} failed requests; "
                                   f"{allowed:g} % keeps it to {at.failed_requests} (rollout.limitExposure)")


def _plain(document: Mapping[str, Any]) -> Any:
    """As it comes back out of the journal, which has lists for tuples."""
    return json.loads(json.dumps(document))
