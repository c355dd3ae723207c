"""IAM: what policies allow, to whom, on what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from policy.controls.actions import (
    CREDENTIALS,
    ESCALATION,
    EXFILTRATION,
    PERMISSIONS,
    READS,
    WITHOUT_RESOURCES,
)
from policy.model import UNKNOWN, Holds, Resource, Undecided, World, control, listed

POLICY = "aws:iam/policy:Policy"
ROLE = "aws:iam/role:Role"
POLICIES = (POLICY, "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy",
            "aws:iam/groupPolicy:GroupPolicy")
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
GITHUB = "token.actions.githubusercontent.com"
_SUBJECT = re.compile(r"repo:[\w.-]+/[\w.-]+:(ref:refs/heads/[\w./-]+|environment:[\w-]+|pull_request)")


def is_boundary(policy: Resource, world: World) -> bool:
    """A permissions boundary grants nothing: it says what other policies can't. Raises Undecided in the preview of a
    stack that makes it: which policy bounds its roles is known afterwards."""
    if policy.type != POLICY or world.users(policy, ATTACHMENT, "policyArn"):
        return False
    bounds = [str(role.at("permissionsBoundary")) for role in world.of(ROLE)]
    if any(bound.rpartition("/")[2] in (policy.name, policy.at("name")) for bound in bounds):
        return True
    if UNKNOWN in bounds:
        raise Undecided("permissionsBoundary")
    return False


def _allowed(policy: Resource, world: World) -> Iterator[dict[str, Any]]:
    if not is_boundary(policy, world):
        yield from (each for each in policy.statements() if each["Effect"] == "Allow")


def _denied(policy: Resource, world: World) -> list[str]:
    """Patterns of what this policy, or another one of the same role, denies on everything without a condition."""
    attached = world.users(policy, ATTACHMENT, "policyArn")
    roles = {urn for each in attached for urn in each.references.get("role", ())}
    others = {each.urn: each for attachment in world.of(ATTACHMENT) if roles & {*attachment.references.get("role", ())}
              for each in world.named(attachment, "policyArn", POLICY)}
    return [pattern for each in {**others, policy.urn: policy}.values() for statement in each.statements()
            if statement["Effect"] == "Deny" and _everywhere(statement) and not statement.get("Condition")
            for pattern in listed(statement.get("Action"))]


def _everywhere(statement: dict[str, Any]) -> bool:
    return "*" in listed(statement.get("Resource")) or "NotResource" in statement


def _names(statement: dict[str, Any], action: str) -> bool:
    """Whether the statement is about this action."""
    if "NotAction" in statement:
        return not any(_fits(action, pattern) for pattern in listed(statement["NotAction"]))
    return any(_fits(action, pattern) for pattern in listed(statement.get("Action")))


def _fits(action: str, pattern: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _no_admin(resource: Resource, world: World) -> object:
    if resource.type == ATTACHMENT:
        return not str(resource.at("policyArn")).endswith(":policy/AdministratorAccess")
    return not any("*" in listed(statement.get("Action")) and _everywhere(statement)
                   for statement in _allowed(resource, world))


def _not_everywhere(actions: frozenset[str]) -> Holds:
    """None of these on every resource without a condition."""
    def check(policy: Resource, world: World) -> object:
        found = {action for statement in _allowed(policy, world)
                 if _everywhere(statement) and not statement.get("Condition")
                 for action in actions if _names(statement, action)}
        return not found or all(any(_fits(action, pattern) for pattern in _denied(policy, world)) for action in found)
    return check


def _writes_are_constrained(policy: Resource, world: World) -> object:
    return not any(_is_restrictable(action) and not READS.match(action.split(":")[-1])
                   for action in _on_everything(policy, world))


def _resources_are_named(policy: Resource, world: World) -> object:
    return not any(map(_is_restrictable, _on_everything(policy, world)))


def _on_everything(policy: Resource, world: World) -> Iterator[str]:
    """Actions that are allowed on every resource without a condition."""
    for statement in _allowed(policy, world):
        if _everywhere(statement) and not statement.get("Condition"):
            yield from listed(statement.get("Action", "*"))


def _is_restrictable(pattern: str) -> bool:
    return not any(_fits(pattern, known) for known in WITHOUT_RESOURCES)


def _github_is_limited(role: Resource) -> object:
    """To a repository and to a branch, an environment or its pull requests."""
    for statement in role.statements("assumeRolePolicy"):
        if any(GITHUB in str(each) for each in listed((statement.get("Principal") or {}).get("Federated"))):
            conditions = statement.get("Condition", {})
            subjects = [text for test in ("StringEquals", "StringLike")
                        for text in listed(conditions.get(test, {}).get(f"{GITHUB}:sub"))]
            audiences = listed(conditions.get("StringEquals", {}).get(f"{GITHUB}:aud"))
            if not subjects or not all(map(_SUBJECT.fullmatch, subjects)) or audiences != ["sts.amazonaws.com"]:
                return False
    return True


CONTROLS = (
    control("CKV_AWS_62 IAM.1", "no full administration", (*POLICIES, ATTACHMENT), _no_admin,
            "name the actions and the resources", frozenset()),
    *(control(id, title, POLICIES, _not_everywhere(actions), "name the resources, or add a condition")
      for id, title, actions in (
          ("CKV_AWS_286", "no way to more rights", ESCALATION),
          ("CKV_AWS_287", "no credentials of everything", CREDENTIALS),
          ("CKV_AWS_288", "no data of everything", EXFILTRATION),
          ("CKV_AWS_289", "no permissions of everything changed", PERMISSIONS))),
    control("CKV_AWS_290", "no writes without constraint", POLICIES, _writes_are_constrained,
            "name the resources, or add a condition"),
    control("CKV_AWS_355", "resources named where the action takes them", POLICIES, _resources_are_named,
            "name the resources, or add a condition"),
    control("CKV_AWS_358", "GitHub's roles limited to repository and branch", ROLE, _github_is_limited,
            "compare sub with repo:owner/name:ref:refs/heads/branch or :environment:name, and aud"),
)
