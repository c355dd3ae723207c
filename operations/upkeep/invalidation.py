"""Has CloudFront forget what it keeps of some paths."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from operations.errors import NotAcceptable
from operations.site.distribution import Distribution

# "Quotas on invalidations", CloudFront developer guide: at once under way.
MOST_FILES, MOST_WILDCARDS = 3000, 15


def checked(paths: Sequence[str]) -> list[str]:
    """Each once, in order. Raises NotAcceptable for what CloudFront would refuse or take for something else."""
    found = list(dict.fromkeys(paths))
    for path in found:
        if not path.startswith("/"):
            raise NotAcceptable(f"path {path!r} does not begin with a slash; allowed: /index.html, /docs/*")
        if "*" in path[:-1]:
            raise NotAcceptable(f"path {path!r} has a * before its end, where CloudFront takes it for a character; "
                                "allowed: one at the end")
        if not path.isascii() or not path.isprintable() or " " in path:
            raise NotAcceptable(f"path {path!r} has characters that an address does not; write them as %C3%A9")
    stars = sum(path.endswith("*") for path in found)
    if stars > MOST_WILDCARDS or len(found) - stars > MOST_FILES:
        raise NotAcceptable(f"{len(found) - stars} paths and {stars} with a * are more than CloudFront takes at once, "
                            f"{MOST_FILES} and {MOST_WILDCARDS}; take a shorter prefix with a *")
    return found


@dataclass
class Invalidation:
    """say: progress, a line each."""

    distribution: Distribution
    say: Callable[[str], None]
    now: Callable[[], float] = time.monotonic

    def run(self, paths: Sequence[str], wait: bool) -> dict[str, Any]:
        """Raises OperationError when it is waited for and does not end."""
        began = self.now()
        made = self.distribution.forget(f"candlefish-{uuid.uuid4()}", paths)
        self.say(f"{self.distribution.name} ({self.distribution.id}): {', '.join(paths)}; invalidation {made}")
        if wait:
            self.distribution.expect_forgotten(made)
            self.say(f"every edge has forgotten them, after {self.now() - began:.0f} s")
        return {"distribution": self.distribution.id, "invalidation": made, "paths": list(paths), "completed": wait,
                "seconds": round(self.now() - began, 1)}
