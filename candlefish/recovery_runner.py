"""Who runs the program for `candlefish recovery`: Pulumi, or in a rehearsal its engine.

A shell is in a rehearsal when its AWS_ENDPOINT_URL, which `candlefish rehearse env` sets, is that of the embedded AWS
of this project. Without one it is AWS.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

from candlefish.exits import WrongUsage
from candlefish.interrupts import interruptible
from candlefish.project import home_directory, project_directory
from candlefish.runtime import Rehearsal
from operations.recovery.pulumi_runner import PulumiRunner
from operations.recovery.runner import Changes, Deployment, Runner, RunnerError, Settings
from rehearsal.aws.cdn import doors
from rehearsal.aws.servers import Aws
from rehearsal.engine.errors import Cancelled
from rehearsal.engine.results import Event, EventKind, Operation, Result
from rehearsal.engine.values import Secret
from rehearsal.errors import RehearsalError

T = TypeVar("T")
ENDPOINT = "AWS_ENDPOINT_URL"
_LOSING = frozenset({Operation.DELETE, Operation.REPLACE})


def runner_of(stack: str, say: Callable[[str], None]) -> Runner:
    """Raises WrongUsage for an AWS_ENDPOINT_URL that is neither AWS's nor the rehearsal's."""
    project = project_directory()
    endpoint = os.environ.get(ENDPOINT)
    if not endpoint:
        return PulumiRunner(project, stack, say)
    running = Aws(home_directory(project) / "aws").running()
    if running is None or running.url.rstrip("/") != endpoint.rstrip("/"):
        raise WrongUsage(f"{ENDPOINT} is {endpoint}, where no rehearsal of this project runs; unset it for AWS, or "
                         f'take a running rehearsal\'s: eval "$(candlefish rehearse env --stack {stack})"')
    return RehearsedRunner(stack, say)


class RehearsedRunner:
    """By the rehearsal's engine, on the embedded AWS that runs; starts the stack's cluster where it has none."""

    def __init__(self, stack: str, say: Callable[[str], None]) -> None:
        self.stack, self._say = stack, say

    def preview(self, settings: Settings) -> Changes:
        rehearsal = self._rehearsal(settings)
        return self._told(lambda: _changes(rehearsal.engine(rehearsal.start_aws(), self._failures).preview()))

    def up(self, settings: Settings) -> Changes:
        rehearsal = self._rehearsal(settings)

        def work() -> Changes:
            endpoint = rehearsal.start_aws()
            with interruptible(self._say) as cancelling:
                engine = cancelling(rehearsal.engine(endpoint, self._failures))
                rehearsal.remember(endpoint)
                result, _ = rehearsal.build(engine, endpoint)
            return _changes(result)

        return self._told(work)

    def outputs(self) -> dict[str, Any]:
        rehearsal = self._rehearsal({})
        if not rehearsal.state.path.exists():
            return {}
        found = self._told(lambda: rehearsal.engine(rehearsal.start_aws(), self._failures).outputs())
        return {key: value.value if isinstance(value, Secret) else value for key, value in found.items()}

    def reach(self, host: str) -> str:
        servers = self._rehearsal({}).running()
        if servers is None or servers.agent is None:
            raise RunnerError(f"{self.stack} is not running; `candlefish rehearse up --stack {self.stack}` starts it")
        edge = self._told(lambda: doors.read(servers.aws.cdn_port))
        return f"http://{edge.get(host) or servers.agent.address_of(host)}"

    def export(self) -> Deployment:
        rehearsal = self._rehearsal({})
        return self._told(lambda: rehearsal.engine(rehearsal.start_aws(), self._failures).export())

    def _rehearsal(self, settings: Settings) -> Rehearsal:
        # Quoted, as a time or a number is text here too.
        return Rehearsal(self.stack, changes=[f"{path}={json.dumps(value)}" for path, value in settings.items()],
                         report=self._say)

    def _told(self, work: Callable[[], T]) -> T:
        """The rehearsal's errors as the runner's."""
        try:
            return work()
        except Cancelled:
            raise
        except RehearsalError as error:
            raise RunnerError(str(error)) from error

    def _failures(self, event: Event) -> None:
        if event.kind is EventKind.FAILED:
            self._say(f"{event.urn.rpartition('::')[2]}: {event.message}")


def _changes(result: Result) -> Changes:
    return Changes({str(key): count for key, count in result.changes.items()},
                   tuple(step.urn for step in result.steps if step.operation in _LOSING))
