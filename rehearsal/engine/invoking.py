"""Functions: data sources, methods of components, and the engine's own `pulumi:pulumi:getResource`."""

from __future__ import annotations

from typing import Any

from pulumi.runtime.proto import provider_pb2, resource_pb2

from rehearsal.engine import urns
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.reading import reference_state
from rehearsal.engine.registrar import Registrar
from rehearsal.engine.run import Run
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import Decoder, contains_secret, contains_unknown, decode, encode, plain, secret

_GET_RESOURCE = "pulumi:pulumi:getResource"


class Invoker:
    def __init__(self, run: Run, registrar: Registrar) -> None:
        self.run = run
        self.registrar = registrar

    def invoke(self, request: Any) -> Any:
        """Raises StepRefused with the provider's reason."""
        arguments = decode(request.args, self.run.directory)
        if request.tok == _GET_RESOURCE:
            return self._get_resource(arguments["urn"], request.acceptResources)
        if contains_unknown(arguments) or any(self._missing(urn) for urn in request.dependsOn):
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        outputs = self._ask(request, arguments)
        if outputs is None:
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").CopyFrom(encode(outputs, resources=request.acceptResources))
        return answer

    def _ask(self, request: Any, arguments: Properties) -> Properties | None:
        """None: the provider's configuration is not known yet."""
        version = request.version
        if request.packageRef:
            version = self.registrar.registry.package(request.packageRef)[1]
        arguments, reference, version = self.registrar.callbacks.transform_invoke(
            request.tok, arguments, request.provider, version)
        served = self.registrar.resolver.resolve(reference, request.tok, version)
        if not served.configured:
            return None
        try:
            outputs = served.provider.invoke(self.run.context(served.state.urn, served.config), request.tok,
                                             plain(arguments, self.run.directory))
        except ProviderError as error:
            raise StepRefused(str(error)) from error
        if contains_secret(arguments):
            outputs = {key: secret(value) for key, value in outputs.items()}
        self.run.masker.learn(outputs)
        return outputs

    def _missing(self, urn: str) -> bool:
        """Whether a dependency will only come into being after this preview."""
        state = self.run.registered.get(urn)
        return state is not None and state.custom and state.id is UNKNOWN

    def _get_resource(self, urn: str, resources: bool) -> Any:
        """Every resource of the program's, and every one in the state: a reference never waits for an answer."""
        state = self.run.registered.get(urn) or next(
            (known for known in self.run.store.states() if known.urn == urn and not known.delete), None)
        if state is None:
            raise StepRefused(f"there is no resource {urn} in this stack")
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").CopyFrom(encode(reference_state(state), resources=resources))
        return answer

    def call(self, request: Any) -> Any:
        """A method of a component; the provider gets it as a function whose argument `__self__` is the component."""
        decoder = Decoder(self.run.directory)
        arguments = decoder.properties(request.args)
        answer = provider_pb2.CallResponse()
        named = {urn for found in request.argDependencies.values() for urn in found.urns} | decoder.dependencies
        if contains_unknown(arguments):
            return answer
        outputs = self._ask(request, arguments)
        if outputs is not None:
            getattr(answer, "return").CopyFrom(encode(outputs))
            for key in outputs:
                answer.returnDependencies[key].urns.extend(sorted(named))
        return answer

    def exists(self, request: Any) -> Any:
        """ExistsResource: whether a resource of that id is there."""
        served = self.registrar.resolver.resolve(request.provider, request.type, request.version)
        id = decode(encode({"id": request.id}))["id"]
        if id is UNKNOWN or not served.configured:
            return resource_pb2.ExistsResourceResponse(unknown=True)
        urn = urns.make(self.run.stack, self.run.project, request.parent, request.type, id)
        context = self.run.context(urn, served.config)
        try:
            found = served.provider.read(context, id, None, None)
        except ProviderError as error:
            raise StepRefused(str(error)) from error
        return resource_pb2.ExistsResourceResponse(exists=found is not None)
