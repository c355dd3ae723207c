"""MiniStack with what we add to it: `hypercorn rehearsal.aws.emulators.ministack:app`."""

from __future__ import annotations

import gc

from ministack.app import app

from rehearsal.aws.emulators import (
    answers,
    backup_tables,
    backups,
    clocks,
    cloudfront_aliases,
    eks,
    environments,
    lambda_,
    logs,
    statistics,
    streams,
    table_history,
    transactions,
    websockets,
)

gc.set_threshold(100_000, 50, 100)  # what is kept, stays: 5 % less time of an `up`
clocks.install()
eks.install()
environments.install()
answers.install()
backups.install()
backup_tables.install()
cloudfront_aliases.install()
lambda_.install()
logs.install()
statistics.install()
streams.install()
table_history.install()
transactions.install()
websockets.install()

__all__ = ["app"]
