"""`python -m rehearsal.aws.servers_moto -H HOST -p PORT`: moto's server, without a log line a request, and with the
backends that the gateway routes to it loaded beforehand: a first EC2 call would wait 2 s for its import otherwise."""

from __future__ import annotations

import gc
import importlib
import logging
import threading

from moto.server import main

from rehearsal.aws.emulators import moto as emulators

# Moto's modules, in the order in which a stack needs them.
BACKENDS = ("ec2", "rds", "secretsmanager", "route53", "acm", "wafv2", "ecr", "ssm", "autoscaling", "elbv2")


def _load() -> None:
    for name in BACKENDS:
        importlib.import_module(f"moto.{name}.urls")


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    emulators.install()
    gc.set_threshold(100_000, 50, 100)  # what is kept, stays: 13 % less time of an `up`
    threading.Thread(target=_load, daemon=True).start()
    main()
