"""Runs `python -m pulumi.policy` as the CLI does. Started by `analyzers.py` as a script of its own.

Arguments: the number of an inherited socket, and those of `pulumi.policy`. When the socket closes, the engine is gone,
and so is this process.
"""

import os
import runpy
import socket
import sys
import threading


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_die_with_engine, args=(channel,), daemon=True).start()
    sys.argv = ["pulumi.policy", *sys.argv[2:]]
    sys.path[0] = os.getcwd()  # as `python -m` has it
    runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)


def _die_with_engine(channel: socket.socket) -> None:
    channel.recv(1)
    os._exit(1)


if __name__ == "__main__":
    main()
