"""Resource types that neither emulator has: objects of our own, beside them."""

from __future__ import annotations

from typing import ClassVar

from rehearsal.aws.handler import Call, Handler
from rehearsal.engine.values import Properties


class KeptObject(Handler):
    """Says what the object's id is and what AWS would compute; everything else is kept as it was sent."""

    kept_whole: ClassVar[bool] = True

    def identify(self, call: Call, inputs: Properties) -> str:
        raise NotImplementedError

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        """What AWS adds; must give the same for the same object each time."""
        return {}

    def create(self, call: Call, inputs: Properties) -> str:
        id = self.identify(call, inputs)
        call.kept.put(
            call.account, call.region, self.type, id, {**self.defaults, **inputs, **self.computed(call, id, inputs)}
        )
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        return call.kept.get(call.account, call.region, self.type, id)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.kept.put(
            call.account, call.region, self.type, id, {**self.defaults, **new, **self.computed(call, id, new)}
        )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        call.kept.delete(call.account, call.region, self.type, id)
