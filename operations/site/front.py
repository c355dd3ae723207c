"""What viewers get of a release, asked through the front door."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from operations.errors import Failed
from operations.site.content import ANSWERING_KEY, OFFLINE_KEY, own_key, served

TIMEOUT_SECONDS = 10
ATTEMPTS = 12  # a second apart: CloudFront keeps a 403 or 404 for 10 s (developer guide, "Error caching minimum TTL")
AT_ONCE = 8


class Front:
    """base: where CloudFront answers for the site, such as https://candlefish.ai."""

    def __init__(self, base: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.base, self._pause = base.rstrip("/"), pause

    def expect_own(self, release: str) -> None:
        """The release's own file comes from whatever colour has it. Raises Failed."""
        self._expect_release(own_key(release), release)

    def expect_answering(self, release: str) -> None:
        """The release is the one that answers. Raises Failed."""
        self._expect_release(ANSWERING_KEY, release)

    def expect_all(self, keys: Iterable[str]) -> None:
        """Each that CloudFront leads to answers 200, the offline page among them. Raises Failed."""
        asked, said = sorted({key for key in keys if served(key)} | {OFFLINE_KEY}), {}
        for attempt in range(ATTEMPTS):
            self._pause(1.0 if attempt else 0.0)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                answers = zip(asked, pool.map(lambda key: self._ask("HEAD", key)[0], asked), strict=True)
                said = {key: status for key, status in answers if status != 200}
            if not said:
                return
            asked = list(said)
        told = "; ".join(f"/{key} {_spoken(status)}" for key, status in list(said.items())[:3])
        more = f", and {len(said) - 3} more" if len(said) > 3 else ""
        raise Failed(f"through {self.base}: {told}{more}")

    def _expect_release(self, key: str, release: str) -> None:
        said = ""
        for attempt in range(ATTEMPTS):
            self._pause(1.0 if attempt else 0.0)
            status, body = self._ask("GET", key)
            found = _release(body)
            if status == 200 and found == release:
                return
            said = _spoken(status) if status != 200 else f"is of release {found or 'unknown'}, not {release}"
        raise Failed(f"{self.base}/{key} {said}")

    def _ask(self, method: str, key: str) -> tuple[int, bytes]:
        """Status (0: no answer) and body."""
        request = urllib.request.Request(f"{self.base}/{quote(key)}", method=method,
                                         headers={"User-Agent": "candlefish-site"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, b""
        except OSError:
            return 0, b""


def _spoken(status: int) -> str:
    return f"answers {status}" if status else "does not answer"


def _release(body: bytes) -> str:
    try:
        return str(json.loads(body)["release"])
    except (ValueError, KeyError, TypeError):
        return ""
