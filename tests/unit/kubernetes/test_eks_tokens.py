"""Which EKS tokens are accepted, and as whom."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping

import boto3
import pytest

from kube.kubeconfig import EksToken, KubeconfigError, presigned_token
from rehearsal.kubernetes import tokens
from rehearsal.kubernetes.access_policies import POLICIES_KEY, Association

pytestmark = pytest.mark.unit
NOW = datetime.datetime(2026, 11, 21, 12, 0, 0, tzinfo=datetime.UTC)
ROLE = "arn:aws:iam::111111111111:role/deploy"
SESSION = tokens.Identity("arn:aws:sts::111111111111:assumed-role/deploy/ci", "111111111111")


def token(*, minutes_old: int = 0, changes: Mapping[str, str] | None = None) -> str:
    query = {"Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
             "X-Amz-Credential": "AKIA1%2F20261121%2Fus-east-1%2Fsts%2Faws4_request",
             "X-Amz-Date": f"{NOW - datetime.timedelta(minutes=minutes_old):%Y%m%dT%H%M%SZ}", "X-Amz-Expires": "60",
             "X-Amz-SignedHeaders": "host%3Bx-k8s-aws-id", "X-Amz-Signature": "0", **(changes or {})}
    host = query.pop("host", "https://sts.us-east-1.amazonaws.com")
    url = f"{host}/?" + "&".join(f"{key}={value}" for key, value in query.items())
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def test_the_access_key_is_read_from_the_presigned_url() -> None:
    assert tokens.access_key(token(), NOW) == "AKIA1"


@pytest.mark.parametrize(("text", "reason"), [
    ("abc", "doesn't start with"),
    ("k8s-aws-v1.%%%", "base64|STS"),
    (token(changes={"host": "https://evil.example"}), "not to STS"),
    (token(changes={"host": "http://sts.amazonaws.com"}), "not to STS"),
    (token(changes={"Action": "AssumeRole"}), "not a GetCallerIdentity"),
    (token(changes={"X-Amz-SignedHeaders": "host"}), "x-k8s-aws-id"),
    (token(minutes_old=16), "expired"),
    (token(minutes_old=-6), "from the future"),
    (token(changes={"X-Amz-Date": "soon"}), "X-Amz-Date"),
    (token(changes={"X-Amz-Credential": ""}), "X-Amz-Credential")])
def test_what_eks_would_not_accept_is_refused(text: str, reason: str) -> None:
    with pytest.raises(tokens.Refused, match=reason):
        tokens.access_key(text, NOW)


def review(cluster: tokens.Cluster | None, identity: tokens.Identity | None = SESSION,
           name: str = "c") -> dict[str, object]:
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token()}}
    answer = tokens.review(asked, name, lambda: [cluster] if cluster else [], lambda key: identity, NOW)
    status: dict[str, object] = answer["status"]
    return status


def test_a_role_session_is_the_role_of_its_access_entry() -> None:
    cluster = tokens.Cluster("c", "111111111111", entries=(tokens.AccessEntry(ROLE, "deployer", ("ops",)),))
    status = review(cluster)
    assert status["authenticated"] is True
    user = status["user"]
    assert isinstance(user, dict)
    assert (user["username"], user["groups"]) == ("deployer", ["ops"])
    assert user["extra"]["canonicalArn"] == [ROLE]


def test_the_creator_the_root_user_and_the_administrator_policy_are_masters() -> None:
    policy = Association("AmazonEKSClusterAdminPolicy")
    root = tokens.Identity("arn:aws:iam::111111111111:root", "111111111111")
    for cluster, identity in ((tokens.Cluster("c", "111111111111", creator=ROLE), SESSION),
                              (tokens.Cluster("c", "111111111111"), root),
                              (tokens.Cluster("c", "111111111111",
                                              entries=(tokens.AccessEntry(ROLE, policies=(policy,)),)), SESSION)):
        user = review(cluster, identity)["user"]
        assert isinstance(user, dict)
        assert "system:masters" in user["groups"]


def test_other_policies_go_along_to_the_authorizer_and_make_nobody_a_master() -> None:
    entry = tokens.AccessEntry(ROLE, policies=(
        Association("AmazonEKSViewPolicy"), Association("AmazonEKSClusterAdminPolicy", ("one", "two"))))
    user = review(tokens.Cluster("c", "111111111111", entries=(entry,)))["user"]
    assert isinstance(user, dict)
    assert user["groups"] == []
    assert user["extra"][POLICIES_KEY] == ["AmazonEKSViewPolicy", "AmazonEKSClusterAdminPolicy@one,two"]


@pytest.mark.parametrize(("cluster", "identity", "reason"), [
    (None, SESSION, "no EKS cluster 'c'"), (tokens.Cluster("c", "111111111111"), None, "belongs to nobody"),
    (tokens.Cluster("c", "111111111111"), SESSION, "has no access entry"),
    (tokens.Cluster("c", "222222222222", creator=ROLE), SESSION, "not of the account")])
def test_others_are_not_let_in(cluster: tokens.Cluster | None, identity: tokens.Identity | None, reason: str) -> None:
    status = review(cluster, identity)
    assert status["authenticated"] is False
    assert reason in str(status["error"])


def test_a_token_made_here_is_one_that_is_accepted() -> None:
    session = boto3.Session("AKIA2", "secret", region_name="eu-central-1")
    made = presigned_token(session, "eu-central-1", "c")
    assert tokens.access_key(made, datetime.datetime.now(datetime.UTC)) == "AKIA2"


def test_the_webhooks_path_carries_the_clusters_name() -> None:
    url = tokens.webhook_url("http://127.0.0.1:1/", "candlefish-staging")
    assert url == "http://127.0.0.1:1/_candlefish/eks/authenticate/candlefish-staging"
    assert tokens.cluster_of("/_candlefish/eks/authenticate/candlefish-staging") == "candlefish-staging"
    assert tokens.cluster_of("/_candlefish/eks/authenticate") is None


def test_an_exec_entry_that_is_not_aws_or_lacks_credentials_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KubeconfigError, match=r"gke-gcloud-auth-plugin.*not known"):
        EksToken.from_exec({"command": "gke-gcloud-auth-plugin"})
    with pytest.raises(KubeconfigError, match="no --cluster-name"):
        EksToken.from_exec({"command": "aws", "args": ["eks", "get-token"]})
    arguments = ["eks", "get-token", "--cluster-name", "c", "--role-arn", ROLE]
    with pytest.raises(KubeconfigError, match="no AWS credentials are set"):
        EksToken.from_exec({"command": "aws", "args": arguments})()
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(KubeconfigError, match="does not call the real AWS"):
        EksToken.from_exec({"command": "aws", "args": arguments}, {"AWS_ACCESS_KEY_ID": "a",
                                                                   "AWS_SECRET_ACCESS_KEY": "b"})()
