"""`candlefish connect`: a port of this machine that leads into the stack's network."""

from __future__ import annotations

import signal
import time
from typing import Annotated

import typer

from candlefish.account import client
from candlefish.connected import kubernetes
from candlefish.options import Context, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from operations.cluster import expect_namespace
from operations.connect.session import Session, connected, listening
from operations.connect.targets import KINDS, Target, expected

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="of this machine; 0: any that is free; otherwise "
                                          + ", ".join(f"{kind.local_port} ({each})" for each, kind in KINDS.items()))]
LOOK_SECONDS = 5.0  # how often it looks whether the other end is there still


def connect(target: Annotated[Target, typer.Argument(help="what to connect to")], stack: Stack,
            port: Port = None,
            kubeconfig: Kubeconfig = None, context: Context = None, as_json: Json = False) -> None:
    """A port of this machine that leads to the database, the cache, Grafana or Prometheus, until Ctrl-C.

    Says what to run next and where the password is, never the password. With --json one object when it is ready.
    """
    screen = Screen(quiet=as_json)
    settings = settings_of(stack)
    expected(target, settings, stack)
    # A pipeline ends it as Ctrl-C does, so that the relay goes with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(target, port) as listener, kubernetes(kubeconfig, context) as cluster:
        expect_namespace(cluster, stack, settings.cluster.namespace)
        with connected(stack, settings, target, cluster, client, listener, screen.say) as session:
            if as_json:
                emit(session.document(stack))
            else:
                _show(screen, stack, session)
            try:
                _last(session)
            except KeyboardInterrupt:
                screen.say("closing")


def _last(session: Session) -> None:
    """Until Ctrl-C. Raises OperationError when the other end is gone."""
    while True:
        time.sleep(LOOK_SECONDS)
        session.pod()


def _show(screen: Screen, stack: str, session: Session) -> None:
    found = session.document(stack)
    screen.say(f"{found['host']}:{found['port']} is {session.target} of {stack}; Ctrl-C ends it. In another shell:",
               "bold")
    print(f"  {found['command']}", flush=True)
    if found["password"]:
        screen.say(f"The password is not told here; who may read it gets it with:\n  {found['password']}")
