"""Fluent Bit: the services' logs to CloudWatch log groups (K2, M1).

The website writes JSON lines. Those with `"channel": "animation"` or `"performance"` have log groups of their own;
everything else of the namespace goes to the application's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMESPACE = "log-shipping"
CHANNELS = ("animation", "performance")
_STATE = "/var/fluent-bit/state"  # on the host: a restarted pod goes on where the last one stopped

_SERVICE = """\
[SERVICE]
    Daemon Off
    Flush 5
    Log_Level warn
    Parsers_File /fluent-bit/etc/parsers.conf
    HTTP_Server On
    HTTP_Listen 0.0.0.0
    HTTP_Port 2020
    Health_Check On
    storage.path {state}
    storage.max_chunks_up 64
"""
_INPUT = """\
[INPUT]
    Name tail
    Path /var/log/containers/*_{namespace}_*.log
    multiline.parser cri
    Tag kube.*
    DB {state}/tail.db
    storage.type filesystem
    Mem_Buf_Limit 16MB
    Skip_Long_Lines On
    Refresh_Interval 5
"""
_FILTERS = """\
[FILTER]
    Name kubernetes
    Match kube.*
    Merge_Log On
    Keep_Log Off
    Labels On
    Annotations Off
    Buffer_Size 0

[FILTER]
    Name rewrite_tag
    Match kube.*
    Rule $channel ^({channels})$ channel.$1 false
"""
_OUTPUT = """\
[OUTPUT]
    Name cloudwatch_logs
    Match {match}
    region {region}
    log_group_name {group}
    log_stream_prefix {prefix}
    auto_create_group false
    Retry_Limit 10
"""


def values(region: str, namespace: str, log_groups: Mapping[str, str]) -> Mapping[str, Any]:
    """`log_groups`: kind → name; `application` and one for each channel. A missing one is an error."""
    outputs = [_OUTPUT.format(match="kube.*", region=region, group=log_groups["application"], prefix="pods-")]
    outputs += [_OUTPUT.format(match=f"channel.{channel}", region=region, group=log_groups[channel], prefix="website-")
                for channel in CHANNELS]
    return {
        "kind": "DaemonSet", "serviceAccount": {"create": True, "name": "fluent-bit"},
        "config": {"service": _SERVICE.format(state=_STATE),
                   "inputs": _INPUT.format(state=_STATE, namespace=namespace),
                   "filters": _FILTERS.format(channels="|".join(CHANNELS)), "outputs": "\n".join(outputs)},
        "tolerations": [{"operator": "Exists"}],  # every node's logs
        "priorityClassName": "system-node-critical",
        "resources": {"requests": {"cpu": "25m", "memory": "64Mi"}, "limits": {"memory": "192Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
        "extraVolumes": [{"name": "state", "hostPath": {"path": _STATE, "type": "DirectoryOrCreate"}}],
        "extraVolumeMounts": [{"name": "state", "mountPath": _STATE}],
    }
