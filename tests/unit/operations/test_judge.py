"""What the judge says of releases, in numbers that people can follow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from operations.rollout.judging import Judge, Ruling, Sample, Thresholds, Verdict

pytestmark = pytest.mark.unit

AT = Thresholds()
HEALTHY = Sample(60, 1000)


def judged(*intervals: tuple[Sample, Sample], at: Thresholds = AT) -> Verdict:
    """The last verdict of one stage."""
    judge = Judge(at)
    judge.begin(0)
    return [judge.observe(new, live) for new, live in intervals][-1]


def of(requests: int, errors: int = 0, slow: int = 0, seconds: float = 60) -> Sample:
    return Sample(seconds, requests, errors, slow)


def test_a_healthy_release_passes_when_the_stage_is_over_and_not_before() -> None:
    said = [judged(*[(HEALTHY, HEALTHY)] * minutes) for minutes in (4, 5)]
    assert [verdict.ruling for verdict in said] == [Ruling.CONTINUE, Ruling.PASS]
    assert "the stage takes 300 s, 240 are over" in said[0].reason
    assert said[1].reason == "0 of 5000 requests failed and 0 were slow in 300 s: healthy"


def test_too_few_requests_hold_the_stage_however_long_it_takes() -> None:
    verdict = judged(*[(of(1), of(9))] * 500)
    assert verdict.ruling is Ruling.CONTINUE
    assert "the test of errors needs about 264 good requests more" in verdict.reason
    assert judged(*[(of(1), of(9))] * 800).ruling is Ruling.PASS


def test_no_requests_at_all_pass_nothing() -> None:
    assert judged(*[(of(0), of(0))] * 100).ruling is Ruling.CONTINUE


def test_half_a_permille_at_ten_requests_a_second_is_not_rolled_back_by_a_single_error_in_a_minute() -> None:
    """1 of 60 is 1.7 %: a raw threshold of 0.1 % would have rolled back."""
    verdict = judged((of(60, 1), of(540)), *[(of(60), of(540))] * 14, (of(60, 1), of(540)), *[(of(60), of(540))] * 15)
    assert verdict.ruling is Ruling.PASS


def test_one_percent_of_errors_is_rolled_back_with_the_numbers_in_the_reason() -> None:
    verdict = judged((of(100, 1), of(900)), (of(100, 2), of(900)), (of(100, 2), of(900)))
    assert verdict.ruling is Ruling.FAIL
    assert verdict.reason == "5 of 300 requests of the new colour failed, 0 of 2700 of the live one: more than 0.10%"
    assert (verdict.numbers["new_errors"], verdict.numbers["new_error_percent"]) == (5, 1.6667)


def test_a_release_worse_than_the_live_colour_is_rolled_back_below_the_bad_share() -> None:
    """0.3 %, where the bad share is 1 %, and the live colour at 0.02 %."""
    worse = [(of(1000, 3), of(9000, 2))] * 12
    assert judged(*worse).ruling is Ruling.FAIL
    assert "the live colour does better" in judged(*worse).reason


def test_a_release_as_bad_as_the_live_colour_pauses() -> None:
    verdict = judged(*[(of(1000, 3), of(9000, 27))] * 12)
    assert verdict.ruling is Ruling.PAUSE
    assert "the release is not the cause" in verdict.reason


@pytest.mark.parametrize(("new", "live"), [
    (of(100, 5), of(900, 45)), (of(100, 60), of(900, 540)), (of(500, 40), of(500, 38)),
    (of(100, 0, 40), of(900, 0, 350))], ids=["errors", "most fail", "at half of the weight", "slow"])
def test_when_both_colours_fail_alike_the_release_is_not_blamed(new: Sample, live: Sample) -> None:
    assert judged((new, live), (new, live)).ruling is Ruling.PAUSE


def test_a_pause_ends_when_the_live_colour_recovers_and_the_new_one_does_not() -> None:
    both, only_new = (of(500, 20), of(500, 20)), (of(500, 20), of(500))
    judge = Judge(AT)
    judge.begin(2)
    assert [judge.observe(*both).ruling for _ in range(2)] == [Ruling.CONTINUE, Ruling.PAUSE]
    assert [judge.observe(*only_new).ruling for _ in range(10)][-1] is Ruling.FAIL


def test_more_than_a_tenth_of_errors_is_rolled_back_at_once() -> None:
    verdict = judged((of(10, 2), of(90)), (of(10, 3), of(90)))
    assert verdict.ruling is Ruling.AT_ONCE
    assert verdict.reason == "30.0% of the new colour's requests fail, more than 10%"


def test_one_reading_with_many_errors_may_be_a_burst_and_does_not_decide() -> None:
    burst = (of(90, 30), of(900))
    assert judged(burst).ruling is Ruling.CONTINUE
    assert judged(burst, burst).ruling is Ruling.AT_ONCE


def test_one_large_reading_in_which_most_fail_decides_alone() -> None:
    assert judged((of(100, 51), of(900))).ruling is Ruling.AT_ONCE


def test_two_unlucky_requests_do_not_roll_back_at_once() -> None:
    """2 of 4 are 50 %, and nothing that a healthy service would not show."""
    assert judged((of(4, 2), of(36))).ruling is Ruling.CONTINUE


def test_a_release_that_turns_bad_late_is_not_protected_by_good_hours() -> None:
    judge = Judge(AT)
    judge.begin(3)
    for _ in range(120):
        judge.observe(of(60_000), of(0))
    said = [judge.observe(of(1000, 300), of(0)).ruling for _ in range(3)]
    assert said == [Ruling.CONTINUE, Ruling.CONTINUE, Ruling.AT_ONCE]


def test_a_slow_release_is_rolled_back() -> None:
    verdict = judged(*[(of(100, 0, 9), of(900, 0, 9))] * 4)
    assert verdict.ruling is Ruling.FAIL
    assert "took more than 2 s" in verdict.reason


def test_a_release_with_four_percent_of_slow_requests_passes_as_its_p95_is_within_the_limit() -> None:
    assert judged(*[(of(1000, 0, 40), of(9000, 0, 90))] * 5).ruling is Ruling.PASS


def test_the_verdict_of_a_failed_release_is_final_and_can_only_become_worse() -> None:
    judge = Judge(AT)
    judge.begin(0)
    said = [judge.observe(of(100, errors), of(900)).ruling for errors in (2, 2, 2, 0, 0, 90, 0)]
    assert said[2:] == [Ruling.FAIL] * 3 + [Ruling.AT_ONCE] * 2


def test_a_stage_is_passed_on_requests_of_its_own() -> None:
    judge = Judge(AT)
    judge.begin(0)
    assert [judge.observe(HEALTHY, HEALTHY) for _ in range(5)][-1].ruling is Ruling.PASS
    judge.begin(1)
    assert judge.observe(replace(HEALTHY, seconds=300, requests=10), HEALTHY).ruling is Ruling.CONTINUE


def test_a_new_stage_does_not_forget_what_was_bad() -> None:
    judge = Judge(AT)
    judge.begin(0)
    assert judge.observe(of(50, 3), of(450)).ruling is Ruling.CONTINUE
    judge.begin(1)
    assert judge.observe(of(50, 3), of(450)).ruling is Ruling.FAIL


FPS = [(replace(HEALTHY, fps=new), replace(HEALTHY, fps=live)) for new, live in ((20, 58), (24, 60), (22, 59))]


def test_half_of_the_frames_rolls_back_at_once_and_one_low_reading_does_not() -> None:
    assert judged(*FPS).ruling is Ruling.AT_ONCE
    assert "the animation runs at 22.0 frames/s, the live colour's at 59.0" in judged(*FPS).reason
    one_low = (FPS[0], *[(replace(HEALTHY, fps=57.0), replace(HEALTHY, fps=58.0))] * 5)
    assert judged(*one_low).ruling is Ruling.PASS


def test_the_frame_rate_is_compared_with_what_the_live_colour_had_while_it_had_visitors() -> None:
    good, judge = replace(HEALTHY, fps=59.0), Judge(AT)
    judge.begin(2)
    for _ in range(5):
        judge.observe(good, good)
    judge.begin(3)
    assert [judge.observe(replace(HEALTHY, fps=20.0), of(0)).ruling for _ in range(3)][-1] is Ruling.AT_ONCE


def test_a_release_that_reports_no_frame_rate_where_the_live_colour_does_is_not_passed() -> None:
    verdict = judged(*[(HEALTHY, replace(HEALTHY, fps=59.0))] * 30)
    assert verdict.ruling is Ruling.CONTINUE
    assert "reports its frame rate" in verdict.reason


@pytest.mark.parametrize("name", ["critical_log_errors", "critical_animation_failures"])
def test_critical_errors_of_the_new_colour_roll_back_at_once(name: str) -> None:
    critical, one = replace(HEALTHY, **{name: 3}), replace(HEALTHY, **{name: 1})
    assert judged((critical, HEALTHY)).ruling is Ruling.AT_ONCE
    assert judged((one, HEALTHY), (one, HEALTHY)).ruling is Ruling.CONTINUE
    assert judged((critical, critical)).ruling is Ruling.PAUSE
    assert judged((critical, one)).ruling is Ruling.CONTINUE  # three times as many may be chance


def test_a_judge_that_was_saved_has_the_thresholds_that_it_began_with() -> None:
    strict = replace(AT, error_bad=0.003, stage_seconds=600)
    saved = json.loads(json.dumps(Judge(strict).to_dict()))
    assert Judge.from_dict(saved).thresholds == strict


def test_the_numbers_are_flat_and_go_into_json() -> None:
    numbers = json.loads(json.dumps(judged(*FPS).numbers, allow_nan=False))
    assert not [name for name, value in numbers.items() if isinstance(value, dict | list)]
    assert {"new_requests", "new_errors", "live_errors", "new_fps", "error_evidence"} <= set(numbers)
