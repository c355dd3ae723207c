"""EKS add-ons as far as the rest of the cluster sees them: the namespaces that they make and the kinds they define.

Their pods do not exist here: what they do is the agent's own business (DNS, volumes, metrics), or nobody's.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.kubernetes import crds
from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
_MANAGER = "candlefish-eks-addon"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class EksAddons:
    """Follows the list of a cluster's add-ons. `eks`: a client of the emulated EKS; it blocks."""

    def __init__(self, api: Api, eks: Any, cluster: str) -> None:
        self._api, self._eks, self._cluster = api, eks, cluster
        self._installed: set[str] = set()

    async def run(self) -> None:
        while True:
            try:
                await self.follow()
            except (ApiError, BotoCoreError, ClientError, *UNREACHABLE) as error:
                log.warning("EKS add-ons: %s", error)
            await asyncio.sleep(POLL_SECONDS)

    async def follow(self) -> None:
        """One round: installs what came, removes the kinds of what went. Namespaces stay, with what is in them."""
        listed = set(await asyncio.to_thread(self._listed)) & crds.ADDONS.keys()
        for addon in sorted(listed - self._installed):
            await self._install(addon)
            self._installed.add(addon)
        for addon in sorted(self._installed - listed):
            for kind in crds.ADDONS[addon][1]:
                await self._api.delete(f"{_DEFINITIONS}/{kind.name}")
            self._installed.discard(addon)

    async def _install(self, addon: str) -> None:
        namespace, kinds = crds.ADDONS[addon]
        await self._api.apply(f"/api/v1/namespaces/{namespace}", {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, _MANAGER)
        for kind in kinds:
            definition = crds.definition(kind, f"eks.{addon}")
            await self._api.apply(f"{_DEFINITIONS}/{kind.name}", definition, _MANAGER)

    def _listed(self) -> list[str]:
        try:
            return [name for page in self._eks.get_paginator("list_addons").paginate(clusterName=self._cluster)
                    for name in page["addons"]]
        except self._eks.exceptions.ResourceNotFoundException:
            return []  # the cluster is not there yet, or not any more
