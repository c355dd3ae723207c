"""What a rollout tells: every receiver at once, none of which can harm it or another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from operations.notify.delivery import deliver
from operations.notify.senders import Deliver, Sender
from operations.rollout.events import Event


class Notifier:
    """receivers: asked once, with the first event. say: what could not be told, a line each; without secrets.

    Called in a thread of its own (`operations.rollout.events.Teller`)."""

    def __init__(self, receivers: Callable[[], Sequence[Sender]], say: Callable[[str], None],
                 send: Deliver = deliver) -> None:
        self._receivers, self._say, self._send = receivers, say, send
        self._known: Sequence[Sender] | None = None

    def __call__(self, event: Event) -> None:
        if self._known is None:
            self._known = ()  # one that can't be read now is not asked with every step
            try:
                self._known = self._receivers()
            except Exception as error:  # whatever it is: an account without the right to read, a spoilt document
                self._say(f"nobody is told of this rollout: whom to tell can't be read ({error})")
        # Daemons: the end of the process does not wait for a receiver that hangs.
        threads = [threading.Thread(target=self._tell, args=(sender, event), daemon=True) for sender in self._known]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _tell(self, sender: Sender, event: Event) -> None:
        try:
            sender(event, self._send)
        except Exception as error:
            self._say(f"{sender.name} was not told that {event.text}: {error}")
