"""What has to be known in the morning: a JSON document in a parameter, written before anything is changed.

    {"phase": "up" | "down", "groups": {name: {"minSize": 2, "desiredSize": 3}}, "silentBefore": [alarm, …]}

`silentBefore` are the alarms whose actions were off already: they stay off. It is the exceptions that are kept, because
a parameter holds 4,096 characters, which all alarms of an environment would not fit in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

UP, DOWN = "up", "down"


@dataclass(frozen=True)
class State:
    phase: str = UP
    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    silentBefore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """`client`: boto3's of SSM."""

    client: Any
    name: str

    def read(self) -> State:
        document = json.loads(self.client.get_parameter(Name=self.name)["Parameter"]["Value"])
        return State(document.get("phase", UP), document.get("groups") or {}, tuple(document.get("silentBefore") or ()))

    def write(self, state: State) -> None:
        self.client.put_parameter(Name=self.name, Value=json.dumps(asdict(state)), Overwrite=True)
