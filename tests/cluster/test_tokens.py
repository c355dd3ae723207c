"""EKS tokens against a real API server that asks a webhook, as the gateway answers it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.plans import access
from kube.client import Client, Forbidden
from rehearsal.kubernetes import access_policies, tokens
from rehearsal.kubernetes.access_policies import Association
from rehearsal.kubernetes.controlplane import ControlPlane, Running
from tests.eventually import eventually

pytestmark = pytest.mark.cluster
ACCOUNT = "000000000000"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/candlefish-deploy"
ON_CALL = f"arn:aws:iam::{ACCOUNT}:role/candlefish-on-call"
KEYS = {"test": tokens.Identity(ROOT, ACCOUNT),
        "AKIADEPLOY": tokens.Identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/candlefish-deploy/ci", ACCOUNT),
        "AKIAONCALL": tokens.Identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/candlefish-on-call/me", ACCOUNT),
        "AKIASTRANGER": tokens.Identity(f"arn:aws:iam::{ACCOUNT}:user/stranger", ACCOUNT)}
CLUSTER = tokens.Cluster("candlefish-test", ACCOUNT, entries=(
    tokens.AccessEntry(DEPLOY, username="deploy", groups=("deployers",)),
    tokens.AccessEntry(ON_CALL, username="on-call", groups=(access.ON_CALL_GROUP,),
                       policies=(Association("AmazonEKSViewPolicy", ("candlefish-test",)),))))


class _Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        cluster = tokens.cluster_of(path)
        assert cluster is not None or path == access_policies.AUTHORIZER_PATH, path
        answer = tokens.review(review, cluster, lambda: [CLUSTER], KEYS.get) if cluster else (
            access_policies.review(review))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def with_webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Webhook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    plane = ControlPlane(tmp_path_factory.mktemp("webhook"), "candlefish-test")
    try:
        yield plane.ensure(tokens.webhook_url(f"http://127.0.0.1:{server.server_port}", "candlefish-test"))
    finally:
        plane.stop()
        server.shutdown()
        thread.join()


def kubeconfig(running: Running, key: str, folder: Path) -> Path:
    """What `aws eks update-kubeconfig` writes, with the key in the exec entry's environment."""
    authority = folder / "ca.crt"
    authority.write_text(running.ca_pem)
    environment = [{"name": "AWS_ACCESS_KEY_ID", "value": key}, {"name": "AWS_SECRET_ACCESS_KEY", "value": "test"}]
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "env": environment,
              "args": ["--region", "us-east-1", "eks", "get-token", "--cluster-name", "candlefish-test",
                       "--output", "json"]}
    document = {"apiVersion": "v1", "kind": "Config", "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": running.endpoint,
                                                       "certificate-authority": str(authority)}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {"exec": plugin}}]}
    path = folder / "config"
    path.write_text(json.dumps(document))
    return path


def allowed(client: Client, namespace: str, verb: str, resource: str, subresource: str = "") -> bool:
    """What the API server's authorizer says; it learns of a new binding a moment after the binding is stored."""
    asked = client.create({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                           "metadata": {}, "spec": {"resourceAttributes": {
                               "namespace": namespace, "verb": verb, "resource": resource, "subresource": subresource,
                               "group": {"deployments": "apps", "jobs": "batch"}.get(resource, "")}}})
    return bool(asked["status"]["allowed"])


def test_the_accounts_own_credentials_are_administrator(with_webhook: Running, tmp_path: Path) -> None:
    with Client.from_kubeconfig(kubeconfig(with_webhook, "test", tmp_path)) as client:
        assert client.get("v1", "Namespace", "kube-system")
        review = client.create({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
                                "metadata": {}})
    assert review["status"]["userInfo"]["username"] == ROOT
    assert "system:masters" in review["status"]["userInfo"]["groups"]


def test_a_role_with_an_access_entry_has_what_its_groups_are_bound_to(with_webhook: Running, tmp_path: Path) -> None:
    with Client.from_kubeconfig(kubeconfig(with_webhook, "AKIADEPLOY", tmp_path)) as client:
        with pytest.raises(Forbidden, match='User "deploy" cannot list'):
            client.list("v1", "Pod", "default")
        with Client.from_kubeconfig(with_webhook.kubeconfig) as administrator:
            administrator.create({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": {"name": "deployers", "namespace": "default"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "deployers"}]})
        eventually("the authorizer has seen the binding", lambda: allowed(client, "default", "list", "pods"))
        assert client.list("v1", "Pod", "default") == []


def test_on_call_looks_at_everything_but_secrets_enters_pods_and_deletes_no_deployment(
        with_webhook: Running, tmp_path: Path) -> None:
    namespace = "candlefish-test"
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
                  "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
                      "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}
    with Client.from_kubeconfig(with_webhook.kubeconfig) as administrator:
        administrator.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        administrator.create(deployment)
        for kind, manifest in (("Role", access.on_call_role(namespace)),
                               ("RoleBinding", access.on_call_binding(namespace))):
            administrator.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, **manifest})
    with Client.from_kubeconfig(kubeconfig(with_webhook, "AKIAONCALL", tmp_path)) as client:
        eventually("the authorizer has seen the binding", lambda: allowed(client, namespace, "create", "pods", "exec"))
        assert client.get("apps/v1", "Deployment", "web", namespace)["metadata"]["name"] == "web"
        with pytest.raises(Forbidden, match='User "on-call" cannot delete'):
            client.delete("apps/v1", "Deployment", "web", namespace)
        with pytest.raises(Forbidden, match="secrets"):
            client.list("v1", "Secret", namespace)
        with pytest.raises(Forbidden, match="pods"):
            client.list("v1", "Pod", "kube-system")
        for verb, resource, subresource, expected in (
                ("create", "pods", "exec", True), ("create", "pods", "portforward", True),
                ("delete", "pods", "", False), ("create", "jobs", "", True), ("patch", "deployments", "", False)):
            assert allowed(client, namespace, verb, resource, subresource) is expected, (verb, resource, subresource)


def test_a_principal_without_an_access_entry_is_not_let_in(with_webhook: Running, tmp_path: Path) -> None:
    with (Client.from_kubeconfig(kubeconfig(with_webhook, "AKIASTRANGER", tmp_path)) as client,
          pytest.raises(Forbidden) as refused):
        client.list("v1", "Pod", "default")
    assert refused.value.code == 401
