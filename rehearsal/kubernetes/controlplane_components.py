"""The command lines of etcd, kube-apiserver, kube-controller-manager and kube-scheduler, on loopback only."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from rehearsal.kubernetes.pki import Authority, Pair, signing_key, write_private
from rehearsal.kubernetes.toolchain import Tools

# The ranges of an EKS cluster in a 10.0.0.0/8 VPC; pods get addresses of their own range, not of the VPC's.
SERVICE_RANGE = "172.20.0.0/16"
POD_RANGE = "100.64.0.0/16"
ADDRESS = "127.0.0.1"
# What the Go runtime may use before it collects harder; keeps the four processes under about 1.3 GB together. With
# 384 MiB kube-apiserver spent 45 % of its time collecting in an hour of rollouts, with 1 GiB 26 %.
MEMORY_LIMITS = {"etcd": "256MiB", "kube-apiserver": "768MiB", "kube-controller-manager": "256MiB",
                 "kube-scheduler": "128MiB"}
PORT_NAMES = ("kube-apiserver", "etcd", "etcd-peer", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Command:
    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Credentials:
    """Everything under `{home}/pki`, and the kubeconfig files beside it."""

    authority: Authority
    front_proxy: Authority
    front_proxy_client: Pair
    server: Pair
    etcd: Pair
    service_accounts: Pair
    administrator: Path  # kubeconfig, group system:masters
    controllers: Path
    scheduler: Path


def credentials(home: Path, name: str, endpoint: str) -> Credentials:
    folder = home / "pki"
    authority = Authority(folder, "ca")
    front_proxy = Authority(folder, "front-proxy-ca")
    hosts = ["localhost", ADDRESS, "kubernetes", "kubernetes.default", "kubernetes.default.svc",
             "kubernetes.default.svc.cluster.local", "172.20.0.1"]
    administrator = authority.issue("administrator", "kubernetes-admin", organizations=["system:masters"])
    # One identity for all controllers: an account for each would cost 40 token requests at every start.
    controllers = authority.issue("controllers", "system:kube-controller-manager", organizations=["system:masters"])
    scheduler = authority.issue("scheduler", "system:kube-scheduler")
    return Credentials(
        authority=authority, front_proxy=front_proxy,
        front_proxy_client=front_proxy.issue("front-proxy-client", "front-proxy-client"),
        server=authority.issue("server", "kube-apiserver", hosts=hosts),
        etcd=Authority(folder, "etcd-ca").issue("etcd", "etcd", hosts=["localhost", ADDRESS]),
        service_accounts=signing_key(folder, "service-accounts"),
        administrator=_kubeconfig(home / "kubeconfig", name, endpoint, authority, administrator),
        controllers=_kubeconfig(home / "controllers.kubeconfig", name, endpoint, authority, controllers),
        scheduler=_kubeconfig(home / "scheduler.kubeconfig", name, endpoint, authority, scheduler))


def _kubeconfig(path: Path, name: str, endpoint: str, authority: Authority, user: Pair) -> Path:
    def data(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {
            "server": endpoint, "certificate-authority-data": data(authority.pair.certificate)}}],
        "users": [{"name": name, "user": {
            "client-certificate-data": data(user.certificate), "client-key-data": data(user.key)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}]}
    content = yaml.safe_dump(document, sort_keys=False).encode()
    if not path.exists() or path.read_bytes() != content:
        write_private(path, content)
    return path


def webhook_configuration(home: Path, name: str, url: str) -> Path:
    """The kubeconfig-shaped file that tells kube-apiserver where reviews go. `name`: of the file, without `.yaml`."""
    document = {"apiVersion": "v1", "kind": "Config", "current-context": "webhook",
                "clusters": [{"name": "webhook", "cluster": {"server": url}}],
                "users": [{"name": "kube-apiserver", "user": {}}],
                "contexts": [{"name": "webhook", "context": {"cluster": "webhook", "user": "kube-apiserver"}}]}
    path = home / f"{name}.yaml"
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())
    return path


@dataclass(frozen=True)
class Webhooks:
    """The files of `webhook_configuration` for TokenReviews and SubjectAccessReviews; `url`: what the first says."""

    authentication: Path
    authorization: Path
    url: str


def commands(tools: Tools, home: Path, ports: Mapping[str, int], keys: Credentials,
             webhooks: Webhooks | None, node_grace_seconds: int) -> tuple[Command, ...]:
    """In the order in which they must start."""
    return (_command("etcd", tools.etcd, _etcd(home, ports, keys)),
            # The URL is in the environment so that a new one restarts the process; the flag names only the file.
            _command("kube-apiserver", tools.apiserver, _apiserver(ports, keys, webhooks),
                     {"CANDLEFISH_TOKEN_WEBHOOK": webhooks.url if webhooks else ""}),
            _command("kube-controller-manager", tools.controller_manager,
                     _controller_manager(ports, keys, node_grace_seconds)),
            _command("kube-scheduler", tools.scheduler, _scheduler(ports, keys)))


def _command(name: str, binary: Path, flags: list[str], environment: Mapping[str, str] | None = None) -> Command:
    memory = {"GOGC": "200", "GOMEMLIMIT": MEMORY_LIMITS[name]}
    return Command(name, (str(binary), *flags), {**memory, **(environment or {})})


def _etcd(home: Path, ports: Mapping[str, int], keys: Credentials) -> list[str]:
    client = f"https://{ADDRESS}:{ports['etcd']}"
    peer = f"https://{ADDRESS}:{ports['etcd-peer']}"
    authority = keys.etcd.certificate.with_name("etcd-ca.crt")
    return ["--name=rehearsal", f"--data-dir={home / 'etcd'}",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=rehearsal={peer}",
            "--client-cert-auth", f"--trusted-ca-file={authority}",
            f"--cert-file={keys.etcd.certificate}", f"--key-file={keys.etcd.key}",
            "--peer-client-cert-auth", f"--peer-trusted-ca-file={authority}",
            f"--peer-cert-file={keys.etcd.certificate}", f"--peer-key-file={keys.etcd.key}",
            # A rehearsal that loses power is repeated; without fsync a write takes microseconds, not milliseconds.
            "--unsafe-no-fsync", "--snapshot-count=5000", "--log-level=warn"]


def _apiserver(ports: Mapping[str, int], keys: Credentials, webhooks: Webhooks | None) -> list[str]:
    modes = "Node,RBAC,Webhook" if webhooks else "Node,RBAC"
    flags = [
        f"--bind-address={ADDRESS}", f"--advertise-address={ADDRESS}", f"--secure-port={ports['kube-apiserver']}",
        # The reconciler would publish 127.0.0.1 as an endpoint, which the API refuses.
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={keys.server.certificate}", f"--tls-private-key-file={keys.server.key}",
        f"--client-ca-file={keys.authority.pair.certificate}",
        f"--etcd-servers=https://{ADDRESS}:{ports['etcd']}",
        f"--etcd-cafile={keys.etcd.certificate.with_name('etcd-ca.crt')}",
        f"--etcd-certfile={keys.etcd.certificate}", f"--etcd-keyfile={keys.etcd.key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys.service_accounts.certificate}",
        f"--service-account-signing-key-file={keys.service_accounts.key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}", f"--authorization-mode={modes}", "--allow-privileged=true",
        f"--requestheader-client-ca-file={keys.front_proxy.pair.certificate}",
        "--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={keys.front_proxy_client.certificate}",
        f"--proxy-client-key-file={keys.front_proxy_client.key}",
        "--profiling=false"]
    if webhooks is not None:
        flags += [f"--authentication-token-webhook-config-file={webhooks.authentication}",
                  "--authentication-token-webhook-version=v1", "--authentication-token-webhook-cache-ttl=30s",
                  f"--authorization-webhook-config-file={webhooks.authorization}",
                  "--authorization-webhook-version=v1"]
    return flags


def _controller_manager(ports: Mapping[str, int], keys: Credentials, node_grace_seconds: int) -> list[str]:
    concurrent = ("deployment", "replicaset", "statefulset", "daemonset", "job", "endpoint", "service-endpoint",
                  "horizontal-pod-autoscaler", "namespace")
    return [
        f"--kubeconfig={keys.controllers}", *_serving("kube-controller-manager", ports, keys),
        "--leader-elect=false", "--use-service-account-credentials=false",
        f"--root-ca-file={keys.authority.pair.certificate}",
        f"--cluster-signing-cert-file={keys.authority.pair.certificate}",
        f"--cluster-signing-key-file={keys.authority.pair.key}",
        f"--service-account-private-key-file={keys.service_accounts.key}",
        "--allocate-node-cidrs=true", f"--cluster-cidr={POD_RANGE}", "--node-cidr-mask-size=24",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--kube-api-qps=500", "--kube-api-burst=1000", *(f"--concurrent-{each}-syncs=10" for each in concurrent),
        # A rehearsal shows in seconds what takes minutes in a cluster; the rules stay the same.
        "--horizontal-pod-autoscaler-sync-period=2s", "--horizontal-pod-autoscaler-initial-readiness-delay=2s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=5s",
        "--horizontal-pod-autoscaler-downscale-stabilization=10s",
        "--node-monitor-period=1s", f"--node-monitor-grace-period={node_grace_seconds}s",
        "--terminated-pod-gc-threshold=50",
        "--pvclaimbinder-sync-period=2s", "--profiling=false"]


def _scheduler(ports: Mapping[str, int], keys: Credentials) -> list[str]:
    return [f"--kubeconfig={keys.scheduler}", *_serving("kube-scheduler", ports, keys),
            "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000", "--profiling=false"]


def _serving(name: str, ports: Mapping[str, int], keys: Credentials) -> list[str]:
    return [f"--bind-address={ADDRESS}", f"--secure-port={ports[name]}",
            f"--tls-cert-file={keys.server.certificate}", f"--tls-private-key-file={keys.server.key}"]
