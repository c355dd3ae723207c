"""Where CloudFront's data plane says its doors: each name of each distribution has one (`rehearsal.doors`).

`curl http://127.0.0.1:PORT/` is enough; a Host header that names another one of the distributions counts as itself, as
at CloudFront's edges.
"""

from __future__ import annotations

import json
import urllib.request

from rehearsal.doors import LOOPBACK
from rehearsal.errors import RehearsalError

CONTROL = "/_candlefish/cdn"
_SECONDS = 30.0


class EdgeSilent(RehearsalError):
    """CloudFront's data plane does not answer; the text says where it was asked."""


def read(port: int) -> dict[str, str]:
    """Name → `127.0.0.1:PORT`, of what CloudFront has at this moment. port: where the data plane is controlled.
    Raises EdgeSilent."""
    url = f"http://{LOOPBACK}:{port}{CONTROL}"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            return dict(json.load(answer)["doors"])
    except OSError as error:
        raise EdgeSilent(f"CloudFront's data plane does not say its addresses at {url} ({error}); its log is cdn.log "
                         "beside the embedded AWS's; `candlefish rehearse down` and `up` start it anew") from error
