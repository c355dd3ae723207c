"""Kubeconfig → how to reach a cluster and as whom: certificate, token, or `aws eks get-token` made in-process."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from botocore.signers import RequestSigner

TOKEN_LIFETIME_SECONDS = 14 * 60  # EKS accepts a presigned URL for 15 minutes
TOKEN_PREFIX = "k8s-aws-v1."


class KubeconfigError(Exception):
    """The kubeconfig can't be used; the message says which part."""


@dataclass(frozen=True)
class Access:
    endpoint: str  # without a trailing slash
    context: ssl.SSLContext
    token: Callable[[], str] | None = None  # asked before every request; None: the certificate is enough
    namespace: str = "default"


def access(kubeconfig: str | Path | Mapping[str, Any], context: str | None = None,
           environment: Mapping[str, str] | None = None) -> Access:
    """`kubeconfig`: a path, the content as YAML or JSON, or the parsed document. `context`: None for the current.
    `environment`: variables over this process's own that an `exec` entry sees, such as AWS_ACCESS_KEY_ID."""
    document, folder = load(kubeconfig)
    wanted = context or document.get("current-context")
    entry = _named(document, "contexts", wanted, "context")
    cluster = _named(document, "clusters", entry.get("cluster"), "cluster")
    user = _named(document, "users", entry.get("user"), "user")
    server = cluster.get("server")
    if not isinstance(server, str) or not server:
        raise KubeconfigError(f"kubeconfig: cluster {entry.get('cluster')!r} has no server")
    return Access(server.rstrip("/"), tls_context(cluster, user, folder), _token(user, folder, environment or {}),
                  str(entry.get("namespace") or "default"))


def load(kubeconfig: str | Path | Mapping[str, Any]) -> tuple[Mapping[str, Any], Path]:
    """The document, and the folder that its relative file names start from."""
    folder = Path.cwd()
    if isinstance(kubeconfig, Mapping):
        return kubeconfig, folder
    text = str(kubeconfig)
    # As the provider does: a value that names a file is a path, anything else is content.
    if isinstance(kubeconfig, Path) or ("\n" not in text and not text.lstrip().startswith("{")):
        path = Path(text).expanduser()
        if not path.is_file():
            raise KubeconfigError(f"kubeconfig: there is no file {path}")
        folder, text = path.parent, path.read_text()
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KubeconfigError(f"kubeconfig: neither YAML nor JSON: {error}") from error
    if not isinstance(document, dict):
        raise KubeconfigError("kubeconfig: the document is not a mapping")
    return document, folder


def _named(document: Mapping[str, Any], section: str, name: Any, field: str) -> Mapping[str, Any]:
    for entry in document.get(section) or ():
        if entry.get("name") == name:
            return entry.get(field) or {}
    raise KubeconfigError(f"kubeconfig: {section} has no entry named {name!r}")


def _bytes(section: Mapping[str, Any], key: str, folder: Path) -> bytes | None:
    data = section.get(f"{key}-data")
    if data:
        return base64.b64decode(data)
    file = section.get(key)
    return (folder / Path(file).expanduser()).read_bytes() if file else None


def tls_context(cluster: Mapping[str, Any], user: Mapping[str, Any], folder: Path) -> ssl.SSLContext:
    """Of a kubeconfig's `cluster` and `user`. folder: where their relative file names start from."""
    authority = _bytes(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _bytes(user, "client-certificate", folder), _bytes(user, "client-key", folder)
    if certificate and key:
        # OpenSSL takes them only from a file; it is gone as soon as it is read.
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _token(user: Mapping[str, Any], folder: Path, environment: Mapping[str, str]) -> Callable[[], str] | None:
    if user.get("token"):
        fixed = str(user["token"])
        return lambda: fixed
    if user.get("tokenFile"):
        file = folder / Path(user["tokenFile"]).expanduser()
        return lambda: file.read_text().strip()
    if user.get("exec"):
        return EksToken.from_exec(user["exec"], environment)
    return None


class EksToken:
    """A token as `aws eks get-token` makes it, without starting the AWS CLI; kept until shortly before it ends."""

    def __init__(self, cluster: str, region: str | None = None, role_arn: str | None = None,
                 environment: Mapping[str, str] | None = None) -> None:
        self.cluster, self.region, self.role_arn = cluster, region, role_arn
        self.environment = {**os.environ, **(environment or {})}
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    @classmethod
    def from_exec(cls, plugin: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> EksToken:
        command, arguments = str(plugin.get("command", "")), [str(each) for each in plugin.get("args") or ()]
        if Path(command).name not in ("aws", "candlefish-aws") or "get-token" not in arguments:
            raise KubeconfigError(f"kubeconfig: exec command {' '.join([command, *arguments])!r} is not known; "
                                  "only `aws eks get-token --cluster-name NAME` can be made in-process")
        cluster = _option(arguments, "--cluster-name") or _option(arguments, "--cluster-id")
        if not cluster:
            raise KubeconfigError("kubeconfig: exec `aws eks get-token` has no --cluster-name")
        stated = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()}
        role = _option(arguments, "--role-arn") or _option(arguments, "--role")
        return cls(cluster, _option(arguments, "--region"), role, {**(environment or {}), **stated})

    def __call__(self) -> str:
        with self._lock:
            if time.monotonic() >= self._expires:
                self._token = self._make()
                self._expires = time.monotonic() + TOKEN_LIFETIME_SECONDS - 60
            return self._token

    def _make(self) -> str:
        get = self.environment.get
        region = self.region or get("AWS_REGION") or get("AWS_DEFAULT_REGION") or "us-east-1"
        if not (get("AWS_ACCESS_KEY_ID") or get("AWS_PROFILE")):
            # boto3 would go on to ask the instance metadata service.
            raise KubeconfigError(f"no token for the EKS cluster {self.cluster}: no AWS credentials are set "
                                  "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)")
        try:
            session = boto3.Session(
                aws_access_key_id=get("AWS_ACCESS_KEY_ID"), aws_secret_access_key=get("AWS_SECRET_ACCESS_KEY"),
                aws_session_token=get("AWS_SESSION_TOKEN"), profile_name=get("AWS_PROFILE"), region_name=region)
            if self.role_arn:
                session = self._assumed(session, region)
            return presigned_token(session, region, self.cluster)
        except (BotoCoreError, ClientError) as error:
            raise KubeconfigError(f"no token for the EKS cluster {self.cluster}: {error}") from error

    def _assumed(self, session: boto3.Session, region: str) -> boto3.Session:
        endpoint = self.environment.get("AWS_ENDPOINT_URL_STS") or self.environment.get("AWS_ENDPOINT_URL")
        if not endpoint:
            raise KubeconfigError(f"the kubeconfig of {self.cluster} assumes {self.role_arn}, and AWS_ENDPOINT_URL is "
                                  "not set: a rehearsal does not call the real AWS")
        sts = session.client("sts", endpoint_url=endpoint)
        answer = sts.assume_role(RoleArn=self.role_arn, RoleSessionName="EKSGetTokenAuth")
        assumed = answer["Credentials"]
        return boto3.Session(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"],
                             region_name=region)


def presigned_token(session: boto3.Session, region: str, cluster: str) -> str:
    """`k8s-aws-v1.` and the URL of a GetCallerIdentity request, signed with the header x-k8s-aws-id = cluster."""
    client = session.client("sts")
    credentials = session.get_credentials()
    if credentials is None:
        raise KubeconfigError(f"no token for the EKS cluster {cluster}: the AWS profile has no credentials")
    signer = RequestSigner(client.meta.service_model.service_id, region, "sts", "v4", credentials, session.events)
    request = {"method": "GET", "body": {}, "headers": {"x-k8s-aws-id": cluster}, "context": {},
               "url": f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"}
    url = signer.generate_presigned_url(request, region_name=region, expires_in=60, operation_name="")
    return TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _option(arguments: Sequence[str], name: str) -> str | None:
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None
