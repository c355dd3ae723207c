"""Path patterns of behaviours and of invalidations (CloudFront developer guide, "Path pattern", "Invalidate files")."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from rehearsal.aws.cdn.model import Behaviour


@functools.lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """`*` is any number of characters, slashes too; `?` is exactly one; everything else is itself, case included. The
    leading slash is optional."""
    parts = {"*": ".*", "?": "."}
    return re.compile("/?" + "".join(parts.get(each, re.escape(each)) for each in pattern.removeprefix("/")), re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    """path: without its query."""
    return _expression(pattern).fullmatch(path) is not None


def behaviour_for(behaviours: Sequence[Behaviour], path: str) -> Behaviour:
    """The first that matches; the last one, the default, matches everything."""
    return next(each for each in behaviours if each is behaviours[-1] or matches(each.pattern, path))


def invalidates(pattern: str, path: str, query: str) -> bool:
    """Whether an invalidation path covers a kept answer. A `*` is a wildcard at the end only; a path without one means
    the object without a query. query: what of it is in the cache key."""
    whole = f"{path}?{query}" if query else path
    wanted = pattern if pattern.startswith("/") else f"/{pattern}"
    return whole.startswith(wanted[:-1]) if wanted.endswith("*") else whole == wanted
