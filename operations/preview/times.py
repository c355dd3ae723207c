"""Times of a prediction, in a reader's words."""

from __future__ import annotations

from operations.preview.model import Preview, Timing


def clock(seconds: float) -> str:
    """`7:30`, and `1:02:03` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def line(preview: Preview) -> str:
    """Of all stacks in which something is made or deleted; empty where there is none."""
    found = [f"**{stack.stack}** {told}" for stack in preview.ordered if (told := _told(stack.timing))]
    return f"Predicted `up`, minutes: {'; '.join(found)}." if found else ""


def _told(timing: Timing) -> str:
    phases = [f"{what} {clock(phase.p50)} (P95 {clock(phase.p95)})"
              for phase, what in ((timing.made, "making"), (timing.gone, "deleting")) if phase is not None]
    if phases and timing.uncounted:
        phases.append(f"not counted: {uncounted(timing)}")
    return ", ".join(phases)


def uncounted(timing: Timing) -> str:
    return ", ".join(f"{what} ({count})" for what, count in timing.uncounted.items())
