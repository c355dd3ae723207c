"""Policy packs: started as the CLI starts them, and asked over the analyzer protocol.

As the real engine does (pkg/resource/deploy/step_generator.go): every registration is analysed by its checked inputs
before anything is done to the resource, and the whole stack, by its outputs, when all is done. A mandatory violation of
a resource ends an `up` there; a preview goes on and finds the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from rehearsal.engine.callbacks import MESSAGE_OPTIONS
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.errors import PackFailed, PackUnusable, Violation
from rehearsal.engine.registration import Goal
from rehearsal.engine.state import State
from rehearsal.engine.values import Properties
from rehearsal.engine.wire import encode

FILE = "PulumiPolicy.yaml"
_HOST = Path(__file__).with_name("analyzer_host.py")
_LEVELS = {analyzer_pb2.ADVISORY: "advisory", analyzer_pb2.MANDATORY: "mandatory", analyzer_pb2.DISABLED: "disabled",
           analyzer_pb2.REMEDIATE: "mandatory"}  # the engine does not remediate, so what is left is mandatory
_SPELLED = {"advisory": analyzer_pb2.ADVISORY, "mandatory": analyzer_pb2.MANDATORY, "disabled": analyzer_pb2.DISABLED,
            "remediate": analyzer_pb2.REMEDIATE}


class PolicyPack:
    """A pack in a folder, running. `config`: by policy, or `all`, its level or {"enforcementLevel": …, "other": …}."""

    def __init__(self, folder: Path, project: Project, stack: str, settings: StackConfig, *, preview: bool,
                 config: Mapping[str, Any], address: str, on_line: Callable[[str, str], None]) -> None:
        """Starts it. Raises PackFailed. `address`: of the engine, as the CLI tells it."""
        self.folder = folder
        self._complaints: list[str] = []
        self._on_line = on_line
        self._config, self._project, self._stack, self._settings = config, project, stack, settings
        self._preview = preview
        runtime = described(folder)
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [_interpreter(folder, runtime), "-u", str(_HOST), str(theirs.fileno()), address, "."],
                cwd=folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, pass_fds=[theirs.fileno()], start_new_session=True)
        self._channel: grpc.Channel | None = None
        self._errors = self._following("stderr", self._process.stderr)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PULUMI_CONFIG": json.dumps(dict(self._settings.values)),
                "PULUMI_ORGANIZATION": "organization", "PULUMI_PROJECT": self._project.name,
                "PULUMI_STACK": self._stack, "PULUMI_DRY_RUN": str(self._preview).lower()}

    def _following(self, name: str, stream: Any) -> threading.Thread:
        def follow() -> None:
            for line in stream:
                text = line.decode(errors="replace").rstrip("\r\n")
                self._complaints = [*self._complaints[-30:], text]
                self._on_line(name, text)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        return thread

    def connect(self) -> None:
        """Waits until it serves, and tells it which stack it is about. Raises PackFailed."""
        assert self._process.stdout is not None
        port = self._process.stdout.readline().decode().strip()  # its first line
        if not port.isdecimal():
            self._errors.join(timeout=5)
            said = "\n".join(line for line in (port, *self._complaints) if line)
            raise PackFailed(f"the policy pack in {self.folder} did not start:\n{said}")
        self._following("stdout", self._process.stdout)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=MESSAGE_OPTIONS)
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)
        self.info = self._ask("GetAnalyzerInfo", empty_pb2.Empty())
        self._ask("ConfigureStack", analyzer_pb2.AnalyzerStackConfigureRequest(
            stack=self._stack, project=self._project.name, organization="organization", dry_run=self._preview,
            config=dict(self._settings.values), config_secret_keys=sorted(self._settings.secret_keys)))
        if self._config:
            self._ask("Configure", self._configuration())

    def _configuration(self) -> analyzer_pb2.ConfigureAnalyzerRequest:
        names = {policy.name for policy in self.info.policies}
        unknown = sorted({*self._config} - names - {"all"})
        if unknown:
            raise PackUnusable(f"the configuration of the policy pack in {self.folder} names policies that it does not "
                               f"have: {', '.join(unknown)}")
        general = self._config.get("all")
        wanted = {**(dict.fromkeys(names, general) if general is not None else {}),
                  **{name: value for name, value in self._config.items() if name != "all"}}
        levels = {policy.name: policy.enforcementLevel for policy in self.info.policies}
        return analyzer_pb2.ConfigureAnalyzerRequest(
            policyConfig={name: _policy_config(name, value, levels[name]) for name, value in wanted.items()})

    # -- asking ----------------------------------------------------------------------------------------------------

    def analyze(self, urn: str, goal: Goal, inputs: Properties, provider: State | None) -> list[Violation]:
        """A resource before anything is done to it: its inputs are checked ones."""
        answer = self._ask("Analyze", analyzer_pb2.AnalyzeRequest(
            type=goal.type, urn=urn, name=goal.name, properties=_struct(inputs), options=_options(goal),
            provider=_provider(provider)))
        # The engine names the resource that it asked about, whatever the pack says.
        return [self._violation(each, urn) for each in answer.diagnostics]

    def analyze_stack(self, states: Iterable[tuple[State, Goal | None, State | None]]) -> list[Violation]:
        """`states`: each resource with what the program asked for and its provider."""
        resources = [analyzer_pb2.AnalyzerResource(
            type=state.type, urn=state.urn, name=state.name, properties=_struct(state.outputs), parent=state.parent,
            options=_options(goal) if goal is not None else None, provider=_provider(provider),
            dependencies=state.dependencies, propertyDependencies={
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                for key, urns in state.property_dependencies.items() if urns}) for state, goal, provider in states]
        answer = self._ask("AnalyzeStack", analyzer_pb2.AnalyzeStackRequest(resources=resources))
        return [self._violation(each, each.urn) for each in answer.diagnostics]

    def _violation(self, diagnostic: analyzer_pb2.AnalyzeDiagnostic, urn: str) -> Violation:
        return Violation(diagnostic.policyPackName, diagnostic.policyName, _LEVELS[diagnostic.enforcementLevel], urn,
                         diagnostic.message)

    def _ask(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return empty_pb2.Empty()
            raise PackFailed(f"the policy pack in {self.folder} failed in {method}: {error.details()}\n"
                             + "\n".join(self._complaints)) from error

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()


def described(folder: Path) -> dict[str, Any]:
    """What PulumiPolicy.yaml says of its runtime: `{"name": "python", "options": {…}}`. Raises PackUnusable."""
    try:
        found = yaml.safe_load((folder / FILE).read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise PackUnusable(f"{folder} is no policy pack: {FILE} can't be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PackUnusable(f"{folder / FILE} is not YAML: {error}") from error
    said = found.get("runtime") if isinstance(found, dict) else None
    runtime = dict(said) if isinstance(said, dict) else {"name": said}
    if runtime.get("name") != "python":
        raise PackUnusable(f"{folder / FILE}: runtime is `{runtime.get('name')}`; only `python` can be rehearsed")
    return runtime


def _interpreter(folder: Path, runtime: Mapping[str, Any]) -> str:
    environment = (runtime.get("options") or {}).get("virtualenv")
    if not environment:
        return sys.executable
    found = folder / environment / "bin" / "python"
    if not found.exists():
        raise PackUnusable(f"{folder / FILE}: runtime.options.virtualenv is `{environment}`, which is no virtual "
                           "environment; `make tools` makes the project's")
    return str(found)


def _policy_config(name: str, value: Any, level: Any) -> analyzer_pb2.PolicyConfig:
    more = dict(value) if isinstance(value, dict) else {"enforcementLevel": value}
    said = more.pop("enforcementLevel", None)
    if said is not None and said not in _SPELLED:
        raise PackUnusable(f"policy {name}: enforcementLevel is {said!r}; one of {', '.join(_SPELLED)}")
    config = analyzer_pb2.PolicyConfig(enforcementLevel=_SPELLED[said] if said is not None else level)
    ParseDict(more, config.properties)
    return config


def _struct(properties: Properties) -> Any:
    return encode({key: value for key, value in properties.items() if not key.startswith("__")}, resources=False)


def _options(goal: Goal) -> analyzer_pb2.AnalyzerResourceOptions:
    timeouts = analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
        **{name: seconds for name, seconds in goal.timeouts.items() if name != "read"})
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=bool(goal.protect), ignoreChanges=goal.ignore_changes,
        deleteBeforeReplace=bool(goal.delete_before_replace),
        deleteBeforeReplaceDefined=goal.delete_before_replace is not None,
        additionalSecretOutputs=goal.additional_secret_outputs,
        aliases=[alias.urn for alias in goal.aliases if alias.urn], customTimeouts=timeouts, parent=goal.parent)


def _provider(state: State | None) -> analyzer_pb2.AnalyzerProviderResource | None:
    if state is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(type=state.type, urn=state.urn, name=state.name,
                                                 properties=_struct(state.inputs))
