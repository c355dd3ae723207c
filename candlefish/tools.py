"""The user's own tools on a rehearsal: `aws`, `kubectl`, a browser."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from candlefish.outputs import VARIABLE as OUTPUTS
from candlefish.runtime import Rehearsal, Servers, credentials
from candlefish.screen import Screen, plain
from infra.plans.hosts import hosts
from rehearsal.aws.cdn import doors

# The AWS CLI version 1 ignores AWS_ENDPOINT_URL for some services and would call the real AWS: name it each time.
WRAPPER = """#!/bin/sh
# Calls the AWS CLI on the embedded AWS, whichever version it is.
self=$(cd "$(dirname "$0")" && pwd)
PATH=$(printf %s "$PATH" | awk -v RS=: -v ORS=: -v self="$self" '$0 != self')
case " $* " in *" --endpoint-url"*) exec aws "$@" ;; esac
if [ -z "$AWS_ENDPOINT_URL" ]; then
    echo 'aws: AWS_ENDPOINT_URL is not set; eval "$(candlefish rehearse env)" first' >&2
    exit 1
fi
exec aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
"""


def environment(rehearsal: Rehearsal, servers: Servers) -> dict[str, str]:
    assert servers.cluster is not None
    door = doors.read(servers.aws.cdn_port).get(hosts(rehearsal.settings.domain).apex)
    stored = rehearsal.engine(servers.aws, lambda event: None).outputs()
    return {**credentials(servers.aws, rehearsal.settings.region), "AWS_PAGER": "",
            "KUBECONFIG": str(servers.cluster.kubeconfig),
            OUTPUTS: str(write_outputs(rehearsal, servers.shown(stored))),
            **({"PGSERVICEFILE": str(databases)} if (databases := rehearsal.aws.databases).exists() else {}),
            **({"CANDLEFISH_FRONT_DOOR": f"http://{door}"} if door else {})}


def write_outputs(rehearsal: Rehearsal, outputs: dict[str, Any]) -> Path:
    """For commands that read a stack's outputs: as they answer on this machine, without secrets."""
    path = rehearsal.home / "outputs.json"
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(plain(outputs), indent=2, sort_keys=True))
    temporary.replace(path)
    return path


def wrappers(rehearsal: Rehearsal) -> Path:
    """A folder for the front of PATH, with `aws` that cannot reach the real AWS by mistake."""
    folder = rehearsal.root / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "aws"
    temporary = folder / f".aws.{os.getpid()}"
    temporary.write_text(WRAPPER)
    temporary.chmod(0o755)
    temporary.replace(script)
    return folder


def show(screen: Screen, rehearsal: Rehearsal, outputs: dict[str, Any]) -> None:
    """What can be done now, for someone who sees it for the first time."""
    say = screen.say
    command = "candlefish" if shutil.which("candlefish") else ".venv/bin/candlefish"
    say("")
    for key in ("siteUrl", "apiUrl", "frontDoorUrl", "clusterName", "databaseEndpoint", "assetsBucket"):
        if key in outputs:
            say(f"  {key:18}{plain(outputs[key])}")
    say("")
    say("Look at it with your own tools:", "bold")
    say(f'  eval "$({command} rehearse env --stack {rehearsal.stack})"')
    say("  aws eks list-clusters && aws rds describe-db-instances")
    say("  kubectl get deploy,svc,ingress -A")
    say(f"  curl {outputs.get('siteUrl', '')}/api/health")
    say(f"  {command} rehearse open --stack {rehearsal.stack}      a browser view of the account and the cluster")
    say(f"  {command} rehearse destroy --stack {rehearsal.stack}   takes it down; `{command} rehearse down` stops it")
