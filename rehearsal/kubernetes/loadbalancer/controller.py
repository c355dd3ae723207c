"""The controller's loop: Ingresses, Services and EndpointSlices to load balancers, in AWS and in the data plane."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from typing import Protocol

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object
from rehearsal.kubernetes.controllers.informer import Informer
from rehearsal.kubernetes.loadbalancer import names
from rehearsal.kubernetes.loadbalancer.annotations import ModelError, with_class
from rehearsal.kubernetes.loadbalancer.build import Builder, group_of
from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.endpoints import endpoints_of
from rehearsal.kubernetes.loadbalancer.model import LoadBalancer, TargetGroup
from rehearsal.kubernetes.node.groups import AwsUnavailable
from rehearsal.kubernetes.node.services import now

log = logging.getLogger(__name__)

CLASS_CONTROLLER = "ingress.k8s.aws/alb"
CLASS_NAME = "alb"
SETTLE_SECONDS = 0.05  # gathers changes that come together
RETRY_SECONDS = 2.0


class Cloud(Protocol):
    """Makes a load balancer true outside the cluster. Its methods block; they raise AwsUnavailable."""

    def apply(self, balancer: LoadBalancer) -> str:
        """Creates or changes what differs; returns the DNS name."""
        ...

    def remove(self, group: str) -> None: ...

    def existing(self, target_group: str) -> TargetGroup:
        """A target group that the program made, by ARN or name. Raises ModelError when there is none."""
        ...


class NoCloud:
    """For a cluster without AWS: a name, and nothing behind it."""

    def __init__(self, region: str) -> None:
        self._region = region

    def apply(self, balancer: LoadBalancer) -> str:
        return f"{balancer.name}.{self._region}.elb.amazonaws.com"

    def remove(self, group: str) -> None:
        return None

    def existing(self, target_group: str) -> TargetGroup:
        raise ModelError(f"target group {target_group} can't be looked up: this cluster has no AWS")


class Controller:
    def __init__(self, api: Api, cluster: str, plane: DataPlane, cloud: Cloud) -> None:
        self._api, self._cluster, self._plane, self._cloud = api, cluster, plane, cloud
        self.ingresses = Informer(api, "/apis/networking.k8s.io/v1/ingresses")
        self.classes = Informer(api, "/apis/networking.k8s.io/v1/ingressclasses")
        self.parameters = Informer(api, "/apis/elbv2.k8s.aws/v1beta1/ingressclassparams")
        self.services = Informer(api, "/api/v1/services")
        self.slices = Informer(api, "/apis/discovery.k8s.io/v1/endpointslices")
        self.bindings = Informer(api, "/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings")
        self._dirty = asyncio.Event()
        self._told: dict[str, str] = {}
        for informer in (self.ingresses, self.classes, self.parameters, self.services, self.bindings):
            informer.listen(lambda *_: self._dirty.set())
        self.slices.listen(lambda *_: self.follow())

    @property
    def informers(self) -> tuple[Informer, ...]:
        return self.ingresses, self.classes, self.parameters, self.services, self.slices, self.bindings

    async def run(self) -> None:
        for informer in self.informers:
            await informer.synced.wait()
        retry = False
        self._dirty.set()
        while True:
            try:
                async with asyncio.timeout(RETRY_SECONDS if retry else None):
                    await self._dirty.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(SETTLE_SECONDS)
            self._dirty.clear()
            retry = not await self._reconcile()

    def follow(self) -> None:
        """Gives every target group the endpoints that its Service has now."""
        for id, targets in self._plane.target_sets.items():
            group = targets.group
            namespace, service, port = group.namespace, group.service, group.service_port
            if group.arn:
                bound = self._binding(group.arn)
                if bound is None:
                    continue
                namespace, service, port = bound
            found = self.services.get(namespace, service)
            targets.set_endpoints(endpoints_of(found, port, self.slices.items.values()) if found else ())
            log.debug("%s: %d targets", id, len(targets.targets))

    def _binding(self, arn: str) -> tuple[str, str, str] | None:
        """Namespace, service and port of the TargetGroupBinding for the group."""
        for binding in self.bindings.items.values():
            spec = binding["spec"]
            if arn == spec.get("targetGroupARN") or arn.split("/")[1:2] == [spec.get("targetGroupName")]:
                return (binding["metadata"]["namespace"], spec["serviceRef"]["name"], str(spec["serviceRef"]["port"]))
        return None

    def _ours(self, ingress: Object) -> bool:
        name = ingress["spec"].get("ingressClassName") or (ingress["metadata"].get("annotations") or {}).get(
            "kubernetes.io/ingress.class", "")
        found = self.classes.get("", name)
        return name == CLASS_NAME or (found is not None and found["spec"].get("controller") == CLASS_CONTROLLER)

    def _parameters(self, ingress: Object) -> Object | None:
        found = self.classes.get("", ingress["spec"].get("ingressClassName", ""))
        reference = (found or {}).get("spec", {}).get("parameters") or {}
        if reference.get("kind") != "IngressClassParams":
            return None
        parameters: Object | None = self.parameters.get("", reference["name"])
        if parameters is None:
            raise ModelError(f"IngressClassParams {reference['name']} does not exist")
        return parameters

    async def _reconcile(self) -> bool:
        """False when something failed that may work the next time."""
        groups: dict[str, list[Object]] = defaultdict(list)
        for ingress in list(self.ingresses.items.values()):
            if self._ours(ingress):
                try:
                    ingress = with_class(ingress, self._parameters(ingress))
                except ModelError as error:
                    await self._tell(group_of(ingress), [ingress], "FailedLoadGroupID", str(error))
                    return True  # whose load balancer it wants is not known: none may be taken down
                groups[group_of(ingress)].append(ingress)
        done = True
        for group in {*groups, *self._plane.balancers}:
            done = await self._reconcile_group(group, groups.get(group, [])) and done
        self.follow()  # a Service's ports or a TargetGroupBinding may have changed alone
        return done

    async def _reconcile_group(self, group: str, ingresses: list[Object]) -> bool:
        living = [each for each in ingresses if "deletionTimestamp" not in each["metadata"]]
        leaving = [each for each in ingresses if "deletionTimestamp" in each["metadata"]]
        try:
            if living:
                for ingress in living:
                    await self._keep(ingress, names.finalizer(group))
                builder = Builder(self._cluster, group, self.services.get, self._cloud.existing)
                balancer = await asyncio.to_thread(builder.build, living)
                if balancer != self._plane.balancers.get(group):
                    hostname = await asyncio.to_thread(self._cloud.apply, balancer)
                    self._plane.set_balancer(group, balancer, hostname)
                    self.follow()
                    self._plane.changed.set()
                for hostname in [name for name, of in self._plane.hostnames.items() if of == group]:
                    for ingress in living:
                        await self._show(ingress, hostname)
            else:
                self._plane.set_balancer(group, None)
                await asyncio.to_thread(self._cloud.remove, group)
            for ingress in leaving:
                await self._let_go(ingress, names.finalizer(group))
        except ModelError as error:
            await self._tell(group, living, "FailedBuildModel", str(error))
            return True  # asking again changes nothing until an object changes
        except (ApiError, AwsUnavailable, *UNREACHABLE) as error:
            await self._tell(group, living, "FailedDeployModel", str(error))
            return False
        self._told.pop(group, None)
        return True

    async def _keep(self, ingress: Object, finalizer: str) -> None:
        held = ingress["metadata"].get("finalizers") or []
        if finalizer not in held:
            await self._api.merge(_path(ingress), {"metadata": {
                "finalizers": [*held, finalizer], "resourceVersion": ingress["metadata"]["resourceVersion"]}})

    async def _let_go(self, ingress: Object, finalizer: str) -> None:
        held = ingress["metadata"].get("finalizers") or []
        if finalizer in held:
            try:
                await self._api.merge(_path(ingress), {"metadata": {
                    "finalizers": [each for each in held if each != finalizer],
                    "resourceVersion": ingress["metadata"]["resourceVersion"]}})
            except ApiError as error:
                if error.status != 404:
                    raise

    async def _show(self, ingress: Object, hostname: str) -> None:
        wanted = {"ingress": [{"hostname": hostname}]}
        if (ingress.get("status") or {}).get("loadBalancer") != wanted:
            await self._api.merge(f"{_path(ingress)}/status", {"status": {"loadBalancer": wanted}})

    async def _tell(self, group: str, ingresses: list[Object], reason: str, message: str) -> None:
        """A Warning event on each Ingress, once for each message."""
        if self._told.get(group) == message:
            return
        self._told[group] = message
        log.warning("%s: %s", group, message)
        for ingress in ingresses:
            metadata = ingress["metadata"]
            body = {"metadata": {"name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}"},
                    "involvedObject": {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "uid": metadata["uid"],
                                       "namespace": metadata["namespace"], "name": metadata["name"]},
                    "reason": reason, "message": message[:1000], "type": "Warning", "count": 1,
                    "source": {"component": "ingress"}, "firstTimestamp": now(), "lastTimestamp": now()}
            try:
                await self._api.create(f"/api/v1/namespaces/{metadata['namespace']}/events", body)
            except (ApiError, *UNREACHABLE) as error:
                log.warning("event %s not written: %s", reason, error)


def _path(ingress: Object) -> str:
    metadata = ingress["metadata"]
    return f"/apis/networking.k8s.io/v1/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}"
