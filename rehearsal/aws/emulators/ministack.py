"""MiniStack with what we add to it: `hypercorn rehearsal.aws.emulators.ministack:app`."""

from __future__ import annotations

from ministack.app import app

from rehearsal.aws.emulators import (
    answers,
    clocks,
    eks,
    environments,
    lambda_,
    logs,
    statistics,
    streams,
    transactions,
    websockets,
)

clocks.install()
eks.install()
environments.install()
answers.install()
lambda_.install()
logs.install()
statistics.install()
streams.install()
transactions.install()
websockets.install()

__all__ = ["app"]
