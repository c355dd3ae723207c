"""Pulumi's engine, as far as a program can tell: resource monitor, state, diff, steps.

Belongs here: the wire protocol, deployment state and the order of steps. Does not belong here: knowledge of AWS or
Kubernetes; that is behind the `Provider` protocol of `provider.py`.

`Engine` of `engine.py` is the front; `Project` and `StackConfig` of `config.py`, `StateFile` of `store.py`, `Limits` of
`execution.py`, the results of `results.py` and the errors of `errors.py` are what its callers see.
"""

import os

# gRPC reads this when it is loaded; its own notes on connections that close at a run's end are not for the user.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
