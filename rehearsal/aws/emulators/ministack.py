"""MiniStack with what we add to it: `hypercorn rehearsal.aws.emulators.ministack:app`."""

from __future__ import annotations

from ministack.app import app

from rehearsal.aws.emulators import clocks, eks, lambda_, streams

clocks.install()
eks.install()
lambda_.install()
streams.install()

__all__ = ["app"]
