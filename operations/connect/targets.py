"""What one can connect to: where it is, and how one speaks to it. Values of secrets are never read."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError

from infra.plans.monitoring import GRAFANA_SECRET
from infra.plans.names import Names
from infra.plans.operators import TOOLS
from infra.settings.model import Settings
from infra.settings.platform import Feature
from operations.aws import code
from operations.errors import NotAcceptable, OperationError
from operations.recovery.account import Clients
from operations.recovery.databases import instance
from operations.upkeep.secrets import Secrets

LOOPBACK = "127.0.0.1"
PORT = "{port}"  # in a command
ANSWER_SECONDS = 5.0
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # "Message Formats", PostgreSQL's manual: answered with one letter


class Target(StrEnum):
    DATABASE = "database"
    REDIS = "redis"
    GRAFANA = "grafana"
    PROMETHEUS = "prometheus"


@dataclass(frozen=True)
class Place:
    """host, port: in the VPC, behind a relay, or the name of a Service of `monitoring`. command: for a shell, PORT
    where the local port goes. password: the command that writes it out; None: there is none."""

    host: str
    port: int
    relayed: bool
    command: str
    password: str | None

    def line(self, port: int) -> str:
        return self.command.replace(PORT, str(port))


@dataclass(frozen=True)
class Kind:
    """local_port: that people get without asking for one. find: raises OperationError where there is none. answers:
    whether what is behind a port of this machine speaks as it should; OSError when nothing does."""

    local_port: int
    find: Callable[[str, Settings, Clients], Place]
    answers: Callable[[int], bool]


def _database(stack: str, settings: Settings, clients: Clients) -> Place:
    name = Names(settings.environment).resource("db")
    found = instance(clients("rds", settings.region), name) or {}
    end, managed = found.get("Endpoint"), found.get("MasterUserSecret")
    if not end or not managed:
        raise OperationError(f"{stack} has no database {name} that can be connected to: "
                             f"{found.get('DBInstanceStatus', 'there is none of that name')}")
    password = _password(settings.region, managed["SecretArn"], "password")
    # host for the certificate's name, hostaddr for where it is (libpq's manual).
    return Place(end["Address"], end["Port"], True,
                 f'PGPASSWORD="$({password})" psql "host={end["Address"]} hostaddr={LOOPBACK} port={PORT} '
                 f'dbname={found["DBName"]} user={found["MasterUsername"]} sslmode=require"', password)


def _redis(stack: str, settings: Settings, clients: Clients) -> Place:
    name = Names(settings.environment).resource("cache")
    try:
        found = clients("elasticache", settings.region).describe_replication_groups(ReplicationGroupId=name)
    except ClientError as error:
        if code(error) not in ("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound"):
            raise
        found = {"ReplicationGroups": [{"Status": "there is none of that name"}]}
    group = found["ReplicationGroups"][0]
    end = (group.get("NodeGroups") or [{}])[0].get("PrimaryEndpoint")
    if not end:
        raise OperationError(f"{stack} has no cache {name} that can be connected to: {group['Status']}")
    password = _password(settings.region, _secret(stack, settings, clients, "cache-auth"), "auth_token")
    return Place(end["Address"], end["Port"], True,
                 f'REDISCLI_AUTH="$({password})" redis-cli -h {LOOPBACK} -p {PORT} --tls --sni {end["Address"]}',
                 password)


def _grafana(stack: str, settings: Settings, clients: Clients) -> Place:
    arn = _secret(stack, settings, clients, GRAFANA_SECRET)
    return _tool(Target.GRAFANA, _password(settings.region, arn, "password"))


def _prometheus(stack: str, settings: Settings, clients: Clients) -> Place:
    return _tool(Target.PROMETHEUS, None)


def _tool(target: Target, password: str | None) -> Place:
    tool = next(each for each in TOOLS if each.role == target)
    return Place(tool.service, tool.port, False, f"python3 -m webbrowser http://{LOOPBACK}:{PORT}", password)


def _password(region: str, arn: str, key: str) -> str:
    return (f"aws secretsmanager get-secret-value --region {region} --secret-id {arn} "
            f"--query SecretString --output text | jq -r .{key}")


def _secret(stack: str, settings: Settings, clients: Clients, name: str) -> str:
    """Its ARN, by names and tags alone. Raises OperationError for a stack that has none of the name."""
    region = settings.region
    there = Secrets(stack, settings, clients("secretsmanager", region), clients("rds", region)).all()
    found = next((each.arn for each in there if each.name == name), None)
    if found is None:
        raise OperationError(f"{stack} has no secret {name} in {region}; candlefish secrets list --stack {stack} "
                             "says what it has")
    return found


def _speaks_postgres(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), ANSWER_SECONDS) as there:
        there.sendall(SSL_REQUEST)
        return there.recv(1) in (b"S", b"N")


def _speaks_redis(port: int) -> bool:
    """Refused for want of the token is an answer. The certificate is the client's matter: nothing is told here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (socket.create_connection((LOOPBACK, port), ANSWER_SECONDS) as raw,
          context.wrap_socket(raw) as there):
        there.sendall(b"PING\r\n")
        return there.recv(1) in (b"+", b"-")


def _speaks_http(path: str) -> Callable[[int], bool]:
    def answers(port: int) -> bool:
        there = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)
        try:
            there.request("GET", path)
            return there.getresponse().status < 500
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            there.close()

    return answers


KINDS: Mapping[Target, Kind] = {
    Target.DATABASE: Kind(15432, _database, _speaks_postgres),
    Target.REDIS: Kind(16379, _redis, _speaks_redis),
    Target.GRAFANA: Kind(13000, _grafana, _speaks_http("/api/health")),
    Target.PROMETHEUS: Kind(19090, _prometheus, _speaks_http("/-/ready")),
}


def expected(target: Target, settings: Settings, stack: str) -> None:
    """Raises NotAcceptable for what the stack's settings leave out."""
    if target in [tool.role for tool in TOOLS] and Feature.MONITORING not in settings.addons.features:
        raise NotAcceptable(f"{stack} has no {target}: addons.features in Pulumi.{stack}.yaml lacks monitoring")
