"""Whether a release is good enough for more traffic: docs/judging.md.

Here belongs what decides, without I/O, and below `sources` what reads the counts. What is then done (weights, rollback,
journal) does not.

    judge = Judge(Thresholds.of(settings))
    judge.begin(0)
    verdict = judge.observe(new, live)  # a Sample of each colour over the same interval
    journal = judge.to_dict()           # Judge.from_dict(journal) goes on where this one stopped
"""

from operations.rollout.judging.judge import Judge
from operations.rollout.judging.sample import Sample, merged
from operations.rollout.judging.thresholds import Thresholds
from operations.rollout.judging.verdict import Ruling, Verdict

__all__ = ["Judge", "Ruling", "Sample", "Thresholds", "Verdict", "merged"]
