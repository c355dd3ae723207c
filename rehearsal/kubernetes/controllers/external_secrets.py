"""External Secrets: ExternalSecret objects (external-secrets.io/v1) to Secrets, through the stores they name.

Stores: SecretStore and ClusterSecretStore with `provider.aws`, service SecretsManager or ParameterStore. Policies:
creationPolicy Owner, Orphan, Merge and None; deletionPolicy is left to owner references. Templates: see
`secret_templates`. A refresh comes with `refreshInterval`, and at once with any change of the object (the operator's
own `force-sync` annotation) or of the Secret.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import re

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object
from rehearsal.kubernetes.controllers.informer import Informer, Key
from rehearsal.kubernetes.controllers.secret_sources import Source, SourceError, data_of
from rehearsal.kubernetes.controllers.secret_templates import TemplateError, render
from rehearsal.kubernetes.node.services import now

log = logging.getLogger(__name__)

GROUP_VERSION = "external-secrets.io/v1"
BASE = f"/apis/{GROUP_VERSION}"
MANAGER = "external-secrets"
RETRY_SECONDS = 2.0
DEFAULT_REFRESH_SECONDS = 3600.0
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class ExternalSecrets:
    def __init__(self, api: Api, source: Source, secrets: Informer) -> None:
        self._api, self._source, self._secrets = api, source, secrets
        self.externals = Informer(api, f"{BASE}/externalsecrets")
        self.stores = Informer(api, f"{BASE}/secretstores")
        self.cluster_stores = Informer(api, f"{BASE}/clustersecretstores")
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._changed: dict[Key, asyncio.Event] = {}
        self.externals.listen(self._on_external)
        for informer in (self.stores, self.cluster_stores):
            informer.listen(lambda *_: self._wake_all())
        secrets.listen(self._on_secret)

    @property
    def informers(self) -> tuple[Informer, ...]:
        return self.externals, self.stores, self.cluster_stores

    def _on_external(self, key: Key, before: Object | None, after: Object | None) -> None:
        if after is None:
            if key in self._tasks:
                self._tasks.pop(key).cancel()
        elif key not in self._tasks:
            self._changed[key] = asyncio.Event()
            self._tasks[key] = asyncio.create_task(self._keep(key))
        elif before is None or _wish(before) != _wish(after):
            self._changed[key].set()

    def _on_secret(self, key: Key, before: Object | None, after: Object | None) -> None:
        if after is None or (before is not None and before.get("data") != after.get("data")):
            for name, external in self.externals.items.items():
                if name[0] == key[0] and target_name(external) == key[1] and name in self._changed:
                    self._changed[name].set()

    def _wake_all(self) -> None:
        for event in self._changed.values():
            event.set()

    async def _keep(self, key: Key) -> None:
        """Synchronises one object for as long as it exists."""
        for informer in (self.stores, self.cluster_stores, self._secrets):
            await informer.synced.wait()
        while True:
            self._changed[key].clear()
            external = self.externals.items[key]
            wait = refresh_seconds(external)
            try:
                await self._synchronise(external)
                await self._show(external, True, "SecretSynced", "secret synced")
            except (SourceError, TemplateError) as error:
                await self._show(external, False, "SecretSyncedError", str(error))
                wait = RETRY_SECONDS
            except (ApiError, *UNREACHABLE) as error:
                log.warning("%s/%s: %s", *key, error)
                wait = RETRY_SECONDS
            try:
                async with asyncio.timeout(wait or None):
                    await self._changed[key].wait()
            except TimeoutError:
                continue

    def _store_kind(self, external: Object) -> str:
        reference = external["spec"].get("secretStoreRef") or {}
        name, kind = reference.get("name", ""), reference.get("kind", "SecretStore")
        store = (self.cluster_stores.get("", name) if kind == "ClusterSecretStore"
                 else self.stores.get(external["metadata"]["namespace"], name))
        if store is None:
            raise SourceError(f"could not get {kind} {name!r}: it does not exist")
        aws = (store["spec"].get("provider") or {}).get("aws")
        if aws is None or aws.get("service") not in ("SecretsManager", "ParameterStore"):
            raise SourceError(f"{kind} {name!r}: only provider.aws with service SecretsManager or ParameterStore")
        return str(aws["service"])

    async def _synchronise(self, external: Object) -> None:
        values = await asyncio.to_thread(data_of, external, self._store_kind(external), self._source)
        metadata, target = external["metadata"], external["spec"].get("target") or {}
        policy = target.get("creationPolicy", "Owner")
        name, namespace = target_name(external), metadata["namespace"]
        if policy == "None":
            return
        if policy == "Merge" and self._secrets.get(namespace, name) is None:
            raise SourceError(f"secret {name} does not exist, and creationPolicy is Merge")
        secret = secret_object(external, values, policy == "Owner")
        await self._api.apply(f"/api/v1/namespaces/{namespace}/secrets/{name}", secret, MANAGER)

    async def _show(self, external: Object, ready: bool, reason: str, message: str) -> None:
        metadata = external["metadata"]
        before: Object = next((each for each in (external.get("status") or {}).get("conditions") or ()
                       if each["type"] == "Ready"), {})
        status = "True" if ready else "False"
        if not ready and (before.get("reason"), before.get("message")) == (reason, message):
            return
        since = before.get("lastTransitionTime") if before.get("status") == status else None
        body: Object = {"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": message,
                                        "lastTransitionTime": since or now()}]}
        if ready:
            body |= {"refreshTime": now(), "binding": {"name": target_name(external)},
                     "syncedResourceVersion": f"{metadata.get('generation', 1)}-{metadata['resourceVersion']}"}
        path = f"{BASE}/namespaces/{metadata['namespace']}/externalsecrets/{metadata['name']}"
        try:
            await self._api.merge(f"{path}/status", {"status": body})
        except (ApiError, *UNREACHABLE) as error:
            log.warning("status of %s: %s", path, error)

    def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()


def _wish(external: Object) -> tuple[object, object]:
    metadata = external["metadata"]
    return external["spec"], {name: value for name, value in (metadata.get("annotations") or {}).items()
                              if name != "kubectl.kubernetes.io/last-applied-configuration"}


def target_name(external: Object) -> str:
    target = external["spec"].get("target") or {}
    return str(target.get("name") or external["metadata"]["name"])


def refresh_seconds(external: Object) -> float:
    """`refreshInterval` as Go writes durations (`1h30m`); 0: never again."""
    text = external["spec"].get("refreshInterval")
    if text is None:
        return DEFAULT_REFRESH_SECONDS
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[smh])", str(text)))


def secret_object(external: Object, values: dict[str, str], owned: bool) -> Object:
    """Raises TemplateError."""
    metadata, target = external["metadata"], external["spec"].get("target") or {}
    template = target.get("template") or {}
    data = {name: render(text, values) for name, text in (template.get("data") or {}).items()}
    if not data or template.get("mergePolicy") == "Merge":
        data = {**values, **data}
    own = {**(template.get("metadata") or {})}
    described: Object = {"name": target_name(external), "namespace": metadata["namespace"],
                         "labels": {**(own.get("labels") or {}), "reconcile.external-secrets.io/managed": "true"},
                         "annotations": own.get("annotations") or {}}
    if owned:
        described["ownerReferences"] = [{"apiVersion": GROUP_VERSION, "kind": "ExternalSecret", "controller": True,
                                         "name": metadata["name"], "uid": metadata["uid"], "blockOwnerDeletion": True}]
    return {"apiVersion": "v1", "kind": "Secret", "type": template.get("type", "Opaque"), "metadata": described,
            "data": {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}}
