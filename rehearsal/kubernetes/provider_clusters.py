"""Clients for provider configurations: one a kubeconfig, shared by all resources and threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kube.client import Client, KubeconfigError
from kube.kubeconfig import access
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import UNKNOWN, Properties

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Configuration:
    """The inputs of a `pulumi:providers:kubernetes` resource, as far as they matter here."""

    kubeconfig: str | Mapping[str, Any] | None
    context: str | None
    namespace: str | None
    mutable_config_maps: bool
    mutable_secrets: bool
    delete_unreachable: bool

    @classmethod
    def of(cls, config: Properties) -> Configuration:
        """Raises ProviderError for a mode that isn't rehearsed."""
        if config.get("enableServerSideApply") in (False, "false"):
            raise ProviderError("enableServerSideApply: false (client-side apply) is not rehearsed; remove it from the "
                                "Kubernetes provider's arguments, server-side apply is its default")
        if config.get("renderYamlToDirectory"):
            raise ProviderError("renderYamlToDirectory is not rehearsed; remove it from the Kubernetes provider")
        kubeconfig = config.get("kubeconfig")
        return cls(None if kubeconfig is UNKNOWN else kubeconfig, _text(config, "context"),
                   _text(config, "namespace"), _flag(config, "enableConfigMapMutable"),
                   _flag(config, "enableSecretMutable"), _delete_unreachable(config))


class Clusters:
    """Opens clients on first use; refuses a cluster that is not on this machine: a rehearsal must never reach a
    real one. `environment`: what `aws eks get-token` of a kubeconfig would see (AWS_ACCESS_KEY_ID, …)."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()

    def client(self, configuration: Configuration) -> Client:
        if not configuration.kubeconfig:
            raise ProviderError("the Kubernetes provider has no kubeconfig; pass one explicitly: the rehearsal uses "
                                "neither KUBECONFIG nor ~/.kube/config, which may name a real cluster")
        # Told apart by spelling: reading the document at every call would cost more than the call.
        key = f"{configuration.kubeconfig}\n{configuration.context}"
        with self._lock:
            if key not in self._clients:
                try:
                    self._clients[key] = self._open(configuration)
                except KubeconfigError as error:
                    raise ProviderError(f"the Kubernetes provider's {error}") from error
            return self._clients[key]

    def _open(self, configuration: Configuration) -> Client:
        found = access(configuration.kubeconfig or "", configuration.context, self._environment)
        host = urlsplit(found.endpoint).hostname
        if host not in LOOPBACK:
            raise ProviderError(f"the kubeconfig's server {found.endpoint} is not on this machine; a rehearsal only "
                                "talks to its own cluster")
        return Client(found)

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


def _text(config: Properties, key: str) -> str | None:
    value = config.get(key)
    return str(value) if value and value is not UNKNOWN else None


def _delete_unreachable(config: Properties) -> bool:
    """The provider's argument, else its variable, as in pulumi-kubernetes (provider.go, `Configure`)."""
    if config.get("deleteUnreachable") is None:
        return os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE") == "true"
    return _flag(config, "deleteUnreachable")


def _flag(config: Properties, key: str) -> bool:
    return config.get(key) in (True, "true")
