"""Functions of the program that the engine calls back: transforms of resources and invokes, hooks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from rehearsal.engine import urns
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.registration import Callback, Goal, spell_transform, transformed
from rehearsal.engine.values import Properties
from rehearsal.engine.wire import decode, encode

MESSAGE_OPTIONS = (("grpc.max_receive_message_length", 400 * 1024 * 1024),
                   ("grpc.max_send_message_length", 400 * 1024 * 1024))


@dataclass(frozen=True)
class Hook:
    callback: Callback
    in_preview: bool = False
    ignore_errors: bool = False


class Callbacks:
    """Knows what the program has registered and runs it."""

    def __init__(self, directory: Path, preview: bool) -> None:
        self._directory = directory
        self._preview = preview
        self._stubs: dict[str, callback_pb2_grpc.CallbacksStub] = {}
        self._channels: list[grpc.Channel] = []
        self._lock = threading.Lock()
        self.stack_transforms: list[Callback] = []
        self.invoke_transforms: list[Callback] = []
        self.hooks: dict[str, Hook] = {}
        self.error_hooks: dict[str, Callback] = {}
        self._transforms: dict[str, tuple[str, tuple[Callback, ...]]] = {}  # URN -> (parent, its transforms)

    def _call(self, callback: Callback, request: bytes) -> bytes:
        with self._lock:
            stub = self._stubs.get(callback.target)
            if stub is None:
                channel = grpc.insecure_channel(callback.target, options=MESSAGE_OPTIONS)
                self._channels.append(channel)
                stub = self._stubs[callback.target] = callback_pb2_grpc.CallbacksStub(channel)
        try:
            answer = stub.Invoke(callback_pb2.CallbackInvokeRequest(token=callback.token, request=request))
        except grpc.RpcError as error:
            raise StepRefused(f"a callback of the program failed: {error.details()}") from error
        response: bytes = answer.response
        return response

    def close(self) -> None:
        for channel in self._channels:
            channel.close()

    # -- transforms ------------------------------------------------------------------------------------------------

    def remember(self, urn: str, goal: Goal) -> None:
        """A resource's transforms also apply to everything below it."""
        self._transforms[urn] = (goal.parent, goal.transforms)

    def transform(self, goal: Goal) -> Goal:
        """Applies the resource's own transforms, then those of its ancestors from the nearest on, then the stack's."""
        chain = list(goal.transforms)
        parent = goal.parent
        while parent in self._transforms:
            parent, inherited = self._transforms[parent]
            chain += inherited
        for callback in [*chain, *self.stack_transforms]:
            answer = self._call(callback, spell_transform(goal).SerializeToString())
            goal = transformed(goal, resource_pb2.TransformResponse.FromString(answer), self._directory)
        return goal

    def transform_invoke(self, token: str, arguments: Properties, provider: str, version: str) \
            -> tuple[Properties, str, str]:
        """Returns the arguments, the provider reference and the version to invoke with."""
        for callback in self.invoke_transforms:
            request = resource_pb2.TransformInvokeRequest(
                token=token, args=encode(arguments, outputs=True),
                options=resource_pb2.TransformInvokeOptions(provider=provider, version=version))
            response = resource_pb2.TransformInvokeResponse.FromString(
                self._call(callback, request.SerializeToString()))
            arguments = decode(response.args, self._directory)
            provider, version = response.options.provider, response.options.version or version
        return arguments, provider, version

    # -- hooks -----------------------------------------------------------------------------------------------------

    def run_hooks(self, moment: str, names: Mapping[str, tuple[str, ...]], urn: str, id: str,
                  **properties: Properties | None) -> list[str]:
        """Runs the hooks of a moment such as `before_create`. Returns warnings of hooks whose errors are ignored;
        raises StepRefused for the others."""
        warnings = []
        for name in names.get(moment, ()):
            hook = self.hooks.get(name)
            if hook is None:
                raise StepRefused(f"its {moment} hook `{name}` is not registered")
            if self._preview and not hook.in_preview:
                continue
            request = resource_pb2.ResourceHookRequest(
                urn=urn, id=id, name=urns.name_of(urn), type=urns.type_of(urn), **_structs(properties))
            response = resource_pb2.ResourceHookResponse.FromString(
                self._call(hook.callback, request.SerializeToString()))
            if response.error and not hook.ignore_errors:
                raise StepRefused(f"{moment} hook `{name}` failed: {response.error}")
            if response.error:
                warnings.append(f"{moment} hook `{name}` failed: {response.error}")
        return warnings

    def should_retry(self, names: Mapping[str, tuple[str, ...]], urn: str, id: str, operation: str,
                     errors: list[str], **properties: Properties | None) -> bool:
        """Asks the error hooks; the first that wants a retry decides."""
        for name in names.get("on_error", ()):
            callback = self.error_hooks.get(name)
            if callback is None:
                raise StepRefused(f"its error hook `{name}` is not registered")
            request = resource_pb2.ErrorHookRequest(
                urn=urn, id=id, name=urns.name_of(urn), type=urns.type_of(urn), failed_operation=operation,
                errors=errors, **_structs(properties))
            response = resource_pb2.ErrorHookResponse.FromString(self._call(callback, request.SerializeToString()))
            if response.error:
                raise StepRefused(f"error hook `{name}` failed: {response.error}")
            if response.retry:
                return True
        return False


def _structs(properties: Mapping[str, Properties | None]) -> dict[str, Any]:
    return {name: encode(value) for name, value in properties.items() if value is not None}
