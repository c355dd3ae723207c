"""MiniStack with what we add to it: `hypercorn rehearsal.aws.emulators.ministack:app`."""

from __future__ import annotations

from ministack.app import app

from rehearsal.aws.emulators import answers, clocks, eks, environments, lambda_, logs, statistics, streams

clocks.install()
eks.install()
environments.install()
answers.install()
lambda_.install()
logs.install()
statistics.install()
streams.install()

__all__ = ["app"]
