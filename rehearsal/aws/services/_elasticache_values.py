"""What ElastiCache takes and how it names endpoints; the emulator takes any text and answers with its own host's."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from rehearsal.aws.handler import Call
from rehearsal.aws.services._convert import refused
from rehearsal.engine.values import Properties

# Engine → versions that can be created: stand-in values modelled on the ElastiCache User Guide, not compared with it;
# the real list is what DescribeCacheEngineVersions answers.
_VERSIONS = {"valkey": ("7.2", "8.0", "8.1", "8.2"), "redis": ("5.0", "6.0", "6.2", "7.0", "7.1")}
DEFAULT_VERSION = {"valkey": "8.0", "redis": "7.1"}
_NODE_TYPE = re.compile(
    r"cache\.(t3|t4g)\.(micro|small|medium)|"
    r"cache\.(m5|m6g|m7g|r5|r6g|r7g|r6gd|c7gn)\.(large|\d{0,2}xlarge)"
)


def check(inputs: Properties, operation: str) -> None:
    engine, version, node = inputs.get("engine") or "redis", inputs.get("engineVersion"), inputs.get("nodeType")
    problem = None
    if engine not in _VERSIONS:
        problem = f"Invalid value for Engine: {engine}. It must be one of {', '.join(_VERSIONS)}."
    elif version and not any(
        version == each or version.startswith(each + ".") or version == each.split(".")[0] + ".x"
        for each in _VERSIONS[engine]
    ):
        problem = f"Cannot find version {version} for {engine}"
    elif node and not _NODE_TYPE.fullmatch(node):
        problem = f"The node type {node} is not a valid cache node type."
    elif inputs.get("authToken") and not inputs.get("transitEncryptionEnabled"):
        problem = "The AUTH token is only supported when encryption-in-transit is enabled"
    elif inputs.get("authToken") and not re.fullmatch(r"[!-?A-~]{16,128}", inputs["authToken"]):
        problem = "The AUTH token must be 16 to 128 printable characters without @ and spaces"
    elif inputs.get("multiAzEnabled") and not inputs.get("automaticFailoverEnabled"):
        problem = "Must set automatic failover enabled when multi-AZ is enabled"
    elif inputs.get("automaticFailoverEnabled") and inputs.get("numCacheClusters") == 1:
        problem = "Automatic failover needs at least two cache clusters; numCacheClusters is 1"
    if problem:
        raise refused("InvalidParameterValue", problem, operation)


def full_version(version: str) -> str:
    """`7.1` → `7.1.0`, as the cache reports it."""
    return version if version.count(".") > 1 else f"{version}.0"


def endpoints(call: Call, id: str, group: dict[str, Any]) -> Properties:
    """Names as ElastiCache makes them."""
    own = hashlib.sha256(f"{call.account}:{call.region}".encode()).hexdigest()[:6]
    zone = re.sub(r"^([a-z]+)-([a-z])[a-z]*-(\d)$", r"\1\2\3", call.region)
    domain = f"{own}.{zone}.cache.amazonaws.com"
    encrypted = bool(group.get("TransitEncryptionEnabled"))
    if group.get("ClusterEnabled"):
        name = f"clustercfg.{id}.{domain}" if encrypted else f"{id}.{own}.clustercfg.{zone}.cache.amazonaws.com"
        return {"configurationEndpointAddress": name, "primaryEndpointAddress": None, "readerEndpointAddress": None}
    if encrypted:
        return {
            "configurationEndpointAddress": None,
            "primaryEndpointAddress": f"master.{id}.{domain}",
            "readerEndpointAddress": f"replica.{id}.{domain}",
        }
    return {
        "configurationEndpointAddress": None,
        "primaryEndpointAddress": f"{id}.{own}.ng.0001.{zone}.cache.amazonaws.com",
        "readerEndpointAddress": f"{id}-ro.{own}.ng.0001.{zone}.cache.amazonaws.com",
    }
