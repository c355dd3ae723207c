"""The two gRPC services that a program talks to: ResourceMonitor and Engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

from rehearsal.engine import urns
from rehearsal.engine.callbacks import MESSAGE_OPTIONS, Hook
from rehearsal.engine.errors import Halted, StateNotWritten, StepRefused, WrongPassphrase
from rehearsal.engine.invoking import Invoker
from rehearsal.engine.registrar import Registrar
from rehearsal.engine.registration import Callback, Goal, goal_of
from rehearsal.engine.run import Run
from rehearsal.engine.state import State
from rehearsal.engine.wire import Decoder, decode, encode

FEATURES = {
    "secrets": resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    "resourceReferences": resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    "outputValues": resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    "aliasSpecs": resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    "replacementTrigger": resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    "deletedWith": resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    "replaceWith": resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    "transforms": resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    "invokeTransforms": resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    "parameterization": resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    "resourceHooks": resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    "errorHooks": resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
    "invokeDependsOn": resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
}
_SEVERITIES = {engine_pb2.DEBUG: "debug", engine_pb2.INFO: "info", engine_pb2.WARNING: "warning",
               engine_pb2.ERROR: "error"}


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Answers one program. `ready` is set when the state is loaded and interrupted steps are done; `wants_shutdown`
    when the program has registered everything; `may_shut_down` when deletions are over."""

    def __init__(self, run: Callable[[], Run], registrar: Callable[[], Registrar]) -> None:
        self._run = run
        self._registrar = registrar
        self.ready = threading.Event()
        self.wants_shutdown = threading.Event()
        self.may_shut_down = threading.Event()
        self.fatal: Exception | None = None
        self.on_activity: Callable[[], None] = lambda: None

    def _serve(self, context: grpc.ServicerContext, work: Callable[[], Any]) -> Any:
        """Errors of one resource end the request; those of the engine itself end the run."""
        self.ready.wait()
        run = self._run()
        with run.serving():
            try:
                return work()
            except Halted:
                _stopping(context)
            except StepRefused as refusal:
                if run.preview or run.continue_on_error:
                    return None
                self._note(refusal)
                _stopping(context)
            except (StateNotWritten, WrongPassphrase) as error:
                self.fatal = self.fatal or error
                run.cancelled.set()
                _stopping(context)
            except Exception as error:
                # Everything unforeseen ends the run with its own traceback, instead of being shown as the program's.
                self.fatal = self.fatal or error
                run.cancelled.set()
                _stopping(context)
            finally:
                self.on_activity()

    def _note(self, refusal: StepRefused) -> None:
        self.on_activity()

    # -- resources -------------------------------------------------------------------------------------------------

    def RegisterResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        state = self._serve(context, lambda: self._registrar().register(self._goal(request)))
        run = self._run()
        if state is None:
            urn = urns.make(run.stack, run.project, request.parent, request.type, request.name)
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)
        id = state.id if isinstance(state.id, str) else ""
        outputs = state.outputs if state.custom or request.remote else {}
        return resource_pb2.RegisterResourceResponse(urn=state.urn, id=id, object=_struct(outputs, request))

    def _goal(self, request: Any) -> Goal:
        """A request whose values can't be read is a refusal of the resource, as a missing asset is."""
        run = self._run()
        urn = urns.make(run.stack, run.project, request.parent, request.type, request.name)
        with run.failing(urn):
            try:
                goal = goal_of(request, run.directory)
            except ValueError as error:
                raise StepRefused(str(error)) from error
        if request.packageRef:
            _, version = self._registrar().registry.package(request.packageRef)
            object.__setattr__(goal, "version", version)
        run.masker.learn(goal.inputs)
        return goal

    def ReadResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        def work() -> State:
            decoder = Decoder(self._run().directory)
            inputs = decoder.properties(request.properties)
            goal = Goal(type=request.type, name=request.name, custom=True, inputs=inputs, parent=request.parent,
                        provider=request.provider, version=request.version,
                        dependencies=tuple(sorted(request.dependencies)),
                        additional_secret_outputs=tuple(request.additionalSecretOutputs))
            encoded = encode({"id": request.id}).fields["id"]
            return self._registrar().read(goal, decoder.value(encoded))

        state = self._serve(context, work)
        if state is None:
            run = self._run()
            urn = urns.make(run.stack, run.project, request.parent, request.type, request.name)
            return resource_pb2.ReadResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)
        id = state.id if isinstance(state.id, str) else ""
        return resource_pb2.ReadResourceResponse(urn=state.urn, id=id, properties=_struct(state.outputs, request))

    def RegisterResourceOutputs(self, request: Any, context: grpc.ServicerContext) -> Any:
        def work() -> Any:
            outputs = decode(request.outputs, self._run().directory)
            self._registrar().components.outputs(request.urn, outputs)
            return empty_pb2.Empty()

        return self._serve(context, work) or empty_pb2.Empty()

    def ExistsResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        invoker = Invoker(self._run(), self._registrar())
        return self._serve(context, lambda: invoker.exists(request)) or resource_pb2.ExistsResourceResponse(
            unknown=True)

    # -- functions -------------------------------------------------------------------------------------------------

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        def work() -> Any:
            try:
                return Invoker(self._run(), self._registrar()).invoke(request)
            except StepRefused as refusal:
                return resource_pb2.ResourceInvokeResponse(failures=[provider_pb2.CheckFailure(reason=str(refusal))])

        return self._serve(context, work)

    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:
        def work() -> Any:
            try:
                return Invoker(self._run(), self._registrar()).call(request)
            except StepRefused as refusal:
                return provider_pb2.CallResponse(failures=[provider_pb2.CheckFailure(reason=str(refusal))])

        return self._serve(context, work)

    # -- callbacks of the program ----------------------------------------------------------------------------------

    def RegisterStackTransform(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.ready.wait()
        self._registrar().callbacks.stack_transforms.append(Callback(request.target, request.token))
        return empty_pb2.Empty()

    def RegisterStackInvokeTransform(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.ready.wait()
        self._registrar().callbacks.invoke_transforms.append(Callback(request.target, request.token))
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.ready.wait()
        self._registrar().callbacks.hooks[request.name] = Hook(
            Callback(request.callback.target, request.callback.token), request.on_dry_run, request.ignore_errors)
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.ready.wait()
        self._registrar().callbacks.error_hooks[request.name] = Callback(request.callback.target,
                                                                        request.callback.token)
        return empty_pb2.Empty()

    # -- the deployment --------------------------------------------------------------------------------------------

    def GetDeploymentInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.on_activity()
        self.ready.wait()
        run = self._run()
        return resource_pb2.DeploymentInfo(
            project=run.project, stack=run.stack, organization="organization", dryRun=run.preview,
            parallel=run.parallel, supportedFeatures=FEATURES.values())

    def SupportsFeature(self, request: Any, context: grpc.ServicerContext) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURES)

    def RegisterPackage(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.ready.wait()
        parameterized = request.parameterization if request.HasField("parameterization") else request
        name, version = parameterized.name, parameterized.version
        return resource_pb2.RegisterPackageResponse(ref=self._registrar().registry.register_package(name, version))

    def SignalAndWaitForShutdown(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.wants_shutdown.set()
        self.on_activity()
        self.may_shut_down.wait()
        return empty_pb2.Empty()

    def Log(self, request: Any, context: grpc.ServicerContext) -> Any:
        severity = _SEVERITIES.get(request.severity, "info")
        if severity != "debug":
            self.ready.wait()
            self._run().diagnose(severity, request.message.rstrip("\n"), request.urn)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.ready.wait()
        run = self._run()
        return engine_pb2.GetRootResourceResponse(
            urn=urns.make(run.stack, run.project, "", urns.STACK_TYPE, f"{run.project}-{run.stack}"))

    def SetRootResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: grpc.ServicerContext) -> Any:
        return engine_pb2.RequirePulumiVersionResponse()


def _struct(outputs: dict[str, Any], request: Any) -> Any:
    return encode(outputs, secrets=request.acceptSecrets, resources=request.acceptResources)


def _stopping(context: grpc.ServicerContext) -> NoReturn:
    """The SDK turns this into a quiet end of the program; the reason is the engine's to tell."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "the run is being stopped")
    raise AssertionError("abort returns never")


def serve(monitor: Monitor, threads: int) -> tuple[grpc.Server, str]:
    """A server on a free loopback port, and its address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=threads, thread_name_prefix="monitor"), options=MESSAGE_OPTIONS)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


