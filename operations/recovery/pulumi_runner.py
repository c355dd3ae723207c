"""Pulumi itself, by its Automation API (`pulumi.automation`), which drives the `pulumi` command.

Settings of one run go to Pulumi in a copy of the stack's file (`--config-file`), so that the file in the project's
folder, which is under version control, stays as it is.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, InvalidVersionError, StackNotFoundError

from infra.settings.load import PREFIX
from infra.settings.yaml import read_yaml
from operations.recovery.runner import Changes, Deployment, RunnerError, Settings

# Operations of an event that take away what there is ("apitype.OpType" of the Pulumi SDK); a replacement is told as
# `create-replacement`, `replace` and `delete-replaced`, of which the middle one is there in any case.
_LOSING = frozenset({"delete", "replace"})
EMPTY: Deployment = {"version": 3, "deployment": {}}


class PulumiRunner:
    """project: the folder of Pulumi.yaml. say: lines of Pulumi's own output."""

    def __init__(self, project: Path, stack: str, say: Callable[[str], None]) -> None:
        self.stack, self._project, self._say = stack, project, say

    def preview(self, settings: Settings) -> Changes:
        lost: list[str] = []
        with self._told(), self._config(settings) as config:
            # A preview needs a stack; one without resources costs nothing and is what `up` begins with anyway.
            found = self._stack(make=True).preview(
                config_file=config, color="never", on_output=self._say, on_event=lambda event: _note(event, lost))
        return Changes(_plain(found.change_summary), tuple(lost))

    def up(self, settings: Settings) -> Changes:
        lost: list[str] = []
        with self._told(), self._config(settings) as config:
            found = self._stack(make=True).up(
                config_file=config, color="never", show_secrets=False, on_output=self._say,
                on_event=lambda event: _note(event, lost))
        return Changes(_plain(found.summary.resource_changes or {}), tuple(lost))

    def outputs(self) -> dict[str, Any]:
        with self._told():
            try:
                found = self._stack().outputs()
            except StackNotFoundError:
                return {}
        return {key: output.value for key, output in found.items()}

    def reach(self, host: str) -> str:
        return f"https://{host}"

    def export(self) -> Deployment:
        # Not by `export_stack`, which asks for the secrets in plain text (`--show-secrets`).
        with self._told():
            try:
                workspace = self._stack().workspace
            except StackNotFoundError:
                return dict(EMPTY)
            printed = workspace.pulumi_command.run(["stack", "export", "--stack", self.stack], workspace.work_dir,
                                                   workspace.env_vars)
        found: Deployment = json.loads(printed.stdout)
        return found

    def _stack(self, make: bool = False) -> automation.Stack:
        choose = automation.create_or_select_stack if make else automation.select_stack
        return choose(stack_name=self.stack, work_dir=str(self._project))

    @contextmanager
    def _config(self, settings: Settings) -> Iterator[str | None]:
        """Path of the file with this run's settings; None: the stack's own."""
        if not settings:
            yield None
            return
        document = read_yaml(self._project / f"Pulumi.{self.stack}.yaml")
        config: dict[str, Any] = document.setdefault("config", {})
        for path, value in settings.items():
            first, *rest = path.split(".")
            steps = [f"{PREFIX}{first}", *rest]
            place = config
            for step in steps[:-1]:
                place = place.setdefault(step, {})
            place[steps[-1]] = value
        with tempfile.TemporaryDirectory(prefix="candlefish-") as folder:  # for this user alone
            file = Path(folder) / f"Pulumi.{self.stack}.yaml"
            file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
            yield str(file)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Pulumi's errors as ours."""
        try:
            yield
        except FileNotFoundError as error:
            raise RunnerError("there is no `pulumi` command on PATH, which recovery works with; install it "
                              "(https://www.pulumi.com/docs/install), or practise in a rehearsal: "
                              f"candlefish rehearse up --stack {self.stack}") from error
        except InvalidVersionError as error:
            raise RunnerError(f"`pulumi` is too old for the SDK of requirements.txt: {error}; update it") from error
        except ConcurrentUpdateError as error:
            raise RunnerError(
                f"somebody else's update of {self.stack} is at work, or was killed. When nobody is: "
                f"`pulumi cancel --stack {self.stack}`, then run this command again") from error
        except (CommandError, RuntimeError) as error:  # RuntimeError: the engine ended without a summary
            raise RunnerError(f"pulumi failed on {self.stack}: {str(error).strip()}\nWhat it finished is in the state; "
                              "run this command again to go on") from error


def _note(event: automation.EngineEvent, lost: list[str]) -> None:
    if event.resource_pre_event is not None and event.resource_pre_event.metadata.op in _LOSING:
        lost.append(event.resource_pre_event.metadata.urn)


def _plain(counts: Any) -> dict[str, int]:
    return {str(getattr(operation, "value", operation)): int(count) for operation, count in counts.items()}
