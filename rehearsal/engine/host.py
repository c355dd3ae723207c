"""Runs a Pulumi program as `pulumi-language-python-exec` does. Started by `program.py` as a script of its own, with
the program's interpreter: it imports nothing of this package.

Argument: the number of an inherited socket. First line from the engine: the settings, as JSON. When the socket
closes, the engine is gone, and so is this process. Last line to the engine: how the program failed, if it did.

Two mends of the SDK (`mend`: true in the settings) change its speed and nothing that a program sees:
* `wait_for_rpcs` waits for the first of all outstanding outputs again and again, which is quadratic; here it waits
  until one fails or all are done, and looks for new ones at least once a second;
* stack traces that only decorate the real service's screens are not collected, and debug logs, which the engine
  would drop, are not sent.
"""

import asyncio
import faulthandler
import gc
import json
import logging
import os
import runpy
import signal
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor


def main() -> int:
    channel = socket.socket(fileno=int(sys.argv[1]))
    stream = channel.makefile("rw", encoding="utf-8")
    settings = json.loads(stream.readline())
    threading.Thread(target=_die_with_engine, args=(stream,), daemon=True).start()
    _report_stacks_on_demand()
    os.chdir(settings["directory"])
    # The SDK's modules make a million objects that stay: a collection after every 700 costs a fifth of the run.
    gc.set_threshold(200_000, 50, 100)
    sys.argv = [settings["program"]]

    import pulumi
    import pulumi.runtime

    pulumi.runtime.set_all_config(settings["config"], settings["secret_keys"])
    pulumi.runtime.configure(pulumi.runtime.Settings(
        project=settings["project"], stack=settings["stack"], organization="organization",
        root_directory=settings["root"], parallel=settings["parallel"], dry_run=settings["preview"],
        monitor=settings["address"], engine=settings["address"]))
    if settings["mend"]:
        _mend()

    # Every answer of the engine may take as long as a database takes to appear; a waiting one holds a thread.
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=settings["threads"]))
    asyncio.set_event_loop(loop)
    # The SDK leaves futures unobserved when a program fails; asyncio would complain about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    failure = None
    try:
        def run() -> None:
            runpy.run_path(settings["program"], run_name="__main__")

        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        failure = {"kind": "run-error", "text": str(error)}
    except SystemExit as error:
        if error.code not in (None, 0):
            failure = {"kind": "exit", "text": f"the program called sys.exit({error.code!r})"}
    except BaseException:
        failure = {"kind": "exception", "text": traceback.format_exc()}
    sys.stdout.flush()
    sys.stderr.flush()
    if failure is not None:
        stream.write(json.dumps(failure) + "\n")
        stream.flush()
    # Threads that still wait for an answer would hold the interpreter; there is nothing left to clean up.
    os._exit(0 if failure is None else 1)


def _die_with_engine(stream) -> None:  # type: ignore[no-untyped-def]
    stream.read(1)
    os._exit(1)


def _report_stacks_on_demand() -> None:
    """SIGUSR1 writes where every thread stands to stderr."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)


def _mend() -> None:
    import pulumi
    from pulumi.runtime import resource, settings, stack
    from pulumi.runtime.proto import source_pb2

    async def wait_for_rpcs(await_all_outstanding_tasks: bool = True) -> None:
        manager = settings._get_rpc_manager()
        while True:
            while manager.rpcs:
                await asyncio.sleep(0)
                try:
                    await manager.rpcs.pop()
                except Exception as error:
                    if manager.unhandled_exception is not None:
                        raise error from manager.unhandled_exception.with_traceback(manager.exception_traceback)
                    raise
            if manager.unhandled_exception is not None:
                raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
            while await_all_outstanding_tasks:
                with settings.SETTINGS.lock:
                    waiting = list(settings.SETTINGS.outputs)
                    settings.SETTINGS.outputs.clear()
                if not waiting:
                    break
                done, rest = await asyncio.wait(waiting, timeout=1, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    await task
                with settings.SETTINGS.lock:
                    settings.SETTINGS.outputs.update(rest)
            if not manager.rpcs:
                return

    stack.wait_for_rpcs = wait_for_rpcs
    resource._get_stack_trace = source_pb2.StackTrace
    pulumi.log.debug = lambda *arguments, **options: None


if __name__ == "__main__":
    sys.exit(main())
