"""The program alone: a monitor that answers every registration at once, as a preview would. The lower bound."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

from rehearsal.engine.callbacks import MESSAGE_OPTIONS
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.program import Program


class BareMonitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Says yes to every feature and echoes inputs as outputs."""

    def __init__(self) -> None:
        self.registered = 0

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "bare")

    def RegisterResource(self, request: Any, context: Any) -> Any:
        self.registered += 1
        urn = f"urn:pulumi:bare::candlefish::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)

    def ReadResource(self, request: Any, context: Any) -> Any:
        return resource_pb2.ReadResourceResponse(urn=f"urn:pulumi:bare::candlefish::{request.type}::{request.name}",
                                                 properties=request.properties)

    def Invoke(self, request: Any, context: Any) -> Any:
        """Of what the program asks it makes text of the account's number alone."""
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").update({"accountId": "0" * 12})
        return answer

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def RegisterStackTransform(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def RegisterPackage(self, request: Any, context: Any) -> Any:
        return resource_pb2.RegisterPackageResponse(ref="bare")

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse()

    def SetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.SetRootResourceResponse()


def evaluate(directory: Path, stack: str, *, mend: bool = True) -> tuple[float, int]:
    """Seconds from the program's start to its end, and how many resources it registered. Raises RuntimeError.

    `mend`: with the SDK's wait for outstanding outputs mended (see rehearsal/engine/host.py), or as the SDK has it.
    """
    monitor = BareMonitor()
    server = grpc.server(ThreadPoolExecutor(32), options=MESSAGE_OPTIONS)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    started = time.monotonic()
    program = Program(Project.load(directory), stack, StackConfig.load(directory, stack, "bench"),
                      address=f"127.0.0.1:{port}", preview=True, parallel=32, threads=32,
                      environment={"GRPC_VERBOSITY": "NONE"}, mend=mend, on_line=lambda stream, text: None)
    try:
        code = program.wait(timeout=300)
        seconds = time.monotonic() - started
    finally:
        program.kill()
        server.stop(None)
    if code:
        raise RuntimeError(str(program.failure(lambda text: text)))
    return seconds, monitor.registered


