"""Whether a rebuilt stack serves: pods of every service ready, and its public names answer."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial

from infra.plans.hosts import Hosts
from infra.plans.kubernetes import COLOUR_LABEL, name_of
from infra.settings.model import Settings
from kube.client import Client, NotFound
from operations.errors import OperationError
from operations.patience import patiently

# Role of a public name → path; those of the health checks: infra/components/edge/records.py
PATHS = {"apex": "/api/health", "api": "/health"}
ANSWER_SECONDS = 10
POLL_SECONDS = 2.0
# Nodes come, images are pulled, the load balancer's targets turn healthy: what a rollout is given (O4).
SERVING_SECONDS = 600.0
Ask = Callable[[str], int]


def ask(url: str) -> int:
    """Status; 0: no answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "candlefish-recovery"}),
                                    timeout=ANSWER_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def unready(client: Client, settings: Settings) -> list[str]:
    """Sentences: services whose live colour has not all its pods ready."""
    namespace, found = settings.cluster.namespace, []
    for service in settings.services:
        try:
            live = patiently(partial(client.get, "v1", "Service", service.name, namespace))
            colour = str(live["spec"]["selector"].get(COLOUR_LABEL, ""))
            pods = patiently(partial(client.get, "apps/v1", "Deployment", name_of(service, colour), namespace))
        except NotFound as error:
            found.append(f"{service.name}: {error}")
            continue
        wanted, ready = pods["spec"].get("replicas", 1), (pods.get("status") or {}).get("readyReplicas", 0)
        if not wanted or ready < wanted:
            found.append(f"{service.name}: {ready} of {wanted} pods of {colour} are ready")
    return found


def silent(names: Hosts, reach: Callable[[str], str], asked: Ask = ask) -> list[str]:
    """Sentences: names that do not answer 200. reach: name → URL."""
    urls = {f"{reach(names.by_role[role])}{path}": names.by_role[role] for role, path in PATHS.items()}
    answers = {url: asked(url) for url in urls}
    return [f"{urls[url]} ({url}) answers {status or 'nothing'}" for url, status in answers.items() if status != 200]


def expect(look: Callable[[], list[str]], say: Callable[[str], None], pause: Callable[[float], None] = time.sleep,
           now: Callable[[], float] = time.monotonic) -> None:
    """Until there is nothing left to say. Raises OperationError with what is left."""
    end, said = now() + SERVING_SECONDS, ""
    while left := look():
        if now() > end:
            raise OperationError(f"not within {SERVING_SECONDS:.0f} s: " + "; ".join(left)
                                 + ". Everything is built; look at these, then run the command again")
        if (words := left[0]) != said:
            say(f"waiting: {words}" + (f", and {len(left) - 1} more" if len(left) > 1 else ""))
            said = words
        pause(POLL_SECONDS)
