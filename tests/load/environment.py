"""A rehearsed environment that is up: where it answers, and what can be read of it beside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from candlefish.runtime import Rehearsal
from rehearsal.aws.clients import Clients
from rehearsal.aws.servers import DEFAULT_ACCOUNT, Aws

ROOT = Path(__file__).parents[2]
EVENTS, PROCESSOR, PUBLISHER = "analytics-events", "analytics-processor", "stream-publisher"
NEEDED = {"siteUrl", "restApi", "websocketUrl", "tables", "functions", "deadLetterQueues"}  # of the outputs
_LINES = 10_000  # that FilterLogEvents gives at once
_REPORT = re.compile(r"^REPORT RequestId: \S+\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB")


Command = Callable[..., Any]  # verb and arguments of `candlefish rehearse` → its JSON


class NotUp(Exception):
    """The environment could not be brought up; says what the command said."""


@dataclass(frozen=True)
class Report:
    """Of one invocation: milliseconds in the handler, billed milliseconds, MiB."""

    duration: float
    billed: int
    memory: int


@dataclass(frozen=True)
class Environment:
    """outputs: as `candlefish rehearse outputs --json` shows them. gateway: URL of the embedded AWS. home: of the
    rehearsal."""

    outputs: dict[str, Any]
    gateway: str
    region: str
    home: Path

    @property
    def site(self) -> str:
        """Of the site, through CloudFront."""
        return str(self.outputs["siteUrl"])

    @property
    def api(self) -> str:
        """Of the REST API itself."""
        return str(self.outputs["restApi"]["url"])

    @property
    def sockets(self) -> str:
        return str(self.outputs["websocketUrl"])

    @cached_property
    def _clients(self) -> Clients:
        return Clients(self.gateway)

    def client(self, service: str) -> Any:
        """boto3's, of the account that the environment is in."""
        return self._clients.shared(service, self.region, DEFAULT_ACCOUNT)

    def table(self, word: str) -> str:
        return str(self.outputs["tables"][word])

    def function(self, word: str) -> str:
        return str(self.outputs["functions"][word])

    def events(self) -> dict[str, dict[str, Any]]:
        """The events' table by id, as DynamoDB writes items."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.table(EVENTS))
        return {item["eventId"]["S"]: item for page in pages for item in page["Items"]}

    def lines(self, word: str, since: float, words: str) -> list[str]:
        """The lines with these words that a function's log got from this time on (seconds since the epoch)."""
        config = self.client("lambda").get_function_configuration(FunctionName=self.function(word))
        answer = self.client("logs").filter_log_events(
            logGroupName=config["LoggingConfig"]["LogGroup"], startTime=int(since * 1000), filterPattern=f'"{words}"')
        if len(answer["events"]) >= _LINES:  # the emulator has no further pages
            raise RuntimeError(f"the log of {word} has more than {_LINES} such lines: make the run shorter")
        return [event["message"] for event in answer["events"]]

    def reports(self, word: str, since: float) -> list[Report]:
        return reports(self.lines(word, since, "REPORT RequestId"))

    def given_up(self, word: str) -> list[dict[str, Any]]:
        """What a function's dead-letter queue holds; it is taken out."""
        client, name = self.client("sqs"), self.outputs["deadLetterQueues"][word]
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        found: list[dict[str, Any]] = []
        while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def servers(self) -> dict[str, int]:
        """Process ids of the embedded AWS's servers, by name."""
        record = json.loads((self.home / "aws" / "servers.json").read_text())
        return {child["name"]: child["pid"] for child in record["children"]}

    def alive(self) -> bool:
        """Whether all of them run and answer."""
        return Aws(self.home / "aws").running() is not None

    def workers(self, word: str) -> list[psutil.Process]:
        """The processes that a function runs in just now."""
        wanted, found = self.function(word), []
        for process in psutil.Process(self.servers()["ministack"]).children(recursive=True):
            try:
                if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == wanted:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def traces(self) -> int:
        """How many stack traces the servers' own logs have."""
        return sum(path.read_text(errors="replace").count("Traceback (most recent call last)")
                   for path in (self.home / "aws" / "logs").glob("*.log"))


def reports(lines: Iterable[str]) -> list[Report]:
    """Lambda's REPORT lines among these."""
    return [Report(float(match[1]), int(match[2]), int(match[3])) for line in lines if (match := _REPORT.match(line))]


def found(stack: str, home: Path, command: Command, say: Callable[[str], None]) -> Environment:
    """The stack's environment; built or brought up to date by the command itself where it doesn't run."""
    status = command("status", "--stack", stack)
    outputs = command("outputs", "--stack", stack) if status["current"] and status["agent"] else {}
    if not outputs.keys() >= NEEDED:
        say(f"{stack} is not up: candlefish rehearse up --stack {stack}")
        command("up", "--stack", stack)
        status, outputs = command("status", "--stack", stack), command("outputs", "--stack", stack)
    return Environment(outputs, status["aws"], Rehearsal(stack).settings.region, home)


def run(verb: str, *arguments: str) -> Any:
    """The JSON of `candlefish rehearse …`. Raises NotUp."""
    done = subprocess.run([sys.executable, "-m", "candlefish", "rehearse", verb, *arguments, "--json"], cwd=ROOT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    if done.returncode:
        raise NotUp(f"candlefish rehearse {verb} {' '.join(arguments)} ended with {done.returncode}")
    return json.loads(done.stdout)
