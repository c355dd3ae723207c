"""How far a rebuild or a failover is: a parameter in the recovery region, which outlives the machine that began it and
the region that is lost.

Systems Manager counts the versions of a parameter and takes no condition: a write whose version does not follow the
one that was read says that somebody else is at work, and this process stops.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import code
from operations.errors import Contested, OperationError


@dataclass(frozen=True)
class Record:
    """One operation from its beginning to its end.

    started, finished: RFC 3339. plan: what was decided at the beginning and stays so, however often it is gone on with.
    steps: name → RFC 3339 of its end, in their order. version: of the parameter that it was read from.
    """

    operation: str
    stack: str
    started: str
    by: str
    plan: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    finished: str = ""
    version: int = 0

    def done(self, step: str, now: datetime) -> Record:
        return replace(self, steps={**self.steps, step: stamp(now)})


class Journal:
    """Of one operation on one stack. ssm: boto3's client in the recovery region."""

    def __init__(self, ssm: Any, stack: str, operation: str) -> None:
        self._ssm, self.stack, self.operation = ssm, stack, operation
        self.name = f"/candlefish/recovery/{stack}/{operation}"

    def read(self) -> Record | None:
        try:
            found = self._ssm.get_parameter(Name=self.name)["Parameter"]
        except ClientError as error:
            if code(error) == "ParameterNotFound":
                return None
            raise
        known = {each.name for each in fields(Record)}
        try:
            content = {key: value for key, value in json.loads(found["Value"]).items() if key in known}
            return Record(**{**content, "version": int(found["Version"])})
        except (ValueError, TypeError, AttributeError) as error:
            raise OperationError(f"the parameter {self.name} is there, and no journal of {self.operation}: {error}. It "
                                 "is left alone; look whose it is, remove it, and run the command again") from error

    def write(self, record: Record) -> Record:
        """The record as it is kept now. Raises Contested when somebody else has written since it was read."""
        content = {key: value for key, value in asdict(record).items() if key != "version"}
        value = json.dumps({**content, "write": uuid.uuid4().hex}, separators=(",", ":"))
        try:
            # More than 4 KB makes it an advanced parameter by itself.
            version = int(self._ssm.put_parameter(
                Name=self.name, Value=value, Type="String",
                Tier="Intelligent-Tiering", Overwrite=record.version > 0,
                Description=f"How far `candlefish recovery {self.operation}` of {self.stack} is")["Version"])
        except ClientError as error:
            if code(error) != "ParameterAlreadyExists":
                raise
            version = self._mine(value)
        if record.version and version != record.version + 1:
            raise self._contested()
        return replace(record, version=version)

    def _mine(self, value: str) -> int:
        """Version of the parameter, when just this write made it: its answer was lost, and the client sent it again.
        Raises Contested otherwise."""
        found = self._ssm.get_parameter(Name=self.name)["Parameter"]
        if found["Value"] != value:
            raise self._contested()
        return int(found["Version"])

    def _contested(self) -> Contested:
        return Contested(f"somebody else works on {self.operation} of {self.stack} (parameter {self.name}); this run "
                         "stops. When nobody does: run the command again, it goes on from where they were")


def stamp(now: datetime) -> str:
    return now.isoformat(timespec="seconds")


def author() -> str:
    return f"{getpass.getuser()}@{platform.node()} ({os.getpid()})"
