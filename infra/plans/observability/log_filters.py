"""The metrics that come from the lines of the cluster's log shipper (M1)."""

from __future__ import annotations

from dataclasses import dataclass

ANIMATION, APPLICATION = "animation", "application"  # purposes of log groups


@dataclass(frozen=True)
class LogFilter:
    """pattern: filter pattern of CloudWatch Logs; `?a ?b` matches a line that has either."""

    metric: str
    group: str
    pattern: str


FILTERS = (
    LogFilter("critical_errors", APPLICATION, '{ ($.level = "critical") || ($.level = "fatal") }'),
    LogFilter("animation_failures", ANIMATION, '{ ($.level = "error") || ($.level = "critical") }'),
    # PostgreSQL's own words, and those of the drivers of Python and Node.js.
    LogFilter("database_connection_failures", APPLICATION,
              '?"could not connect to server" ?"connection to server at" ?"Connection terminated unexpectedly" '
              '?"the database system is" ?"password authentication failed"'),
    LogFilter("database_pool_exhausted", APPLICATION,
              '?"QueuePool limit" ?"remaining connection slots" ?"too many clients already" '
              '?"timeout exceeded when trying to connect"'),
)
