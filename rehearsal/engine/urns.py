"""URNs: `urn:pulumi:{stack}::{project}::{qualified type}::{name}`, where a qualified type is `Parent$Child`."""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"
_PROVIDER_PREFIX = "pulumi:providers:"


def make(stack: str, project: str, parent: str, type: str, name: str) -> str:
    """`parent` is a URN or empty; the stack as a parent does not show in the URN of its children."""
    prefix = qualified_type_of(parent) if parent else ""
    qualified = f"{prefix}${type}" if prefix and prefix != STACK_TYPE else type
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def _parts(urn: str) -> list[str]:
    parts = urn.split("::", 3)
    if len(parts) != 4 or not urn.startswith("urn:pulumi:"):
        raise ValueError(f"`{urn}` is not a URN; expected urn:pulumi:STACK::PROJECT::TYPE::NAME")
    return parts


def qualified_type_of(urn: str) -> str:
    return _parts(urn)[2]


def type_of(urn: str) -> str:
    return _parts(urn)[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    return _parts(urn)[3]


def stack_of(urn: str) -> str:
    return _parts(urn)[0].removeprefix("urn:pulumi:")


def project_of(urn: str) -> str:
    return _parts(urn)[1]


def package_of(type: str) -> str:
    """`aws` of `aws:ec2/vpc:Vpc`; of a provider's own type `pulumi:providers:aws` too."""
    return type.removeprefix(_PROVIDER_PREFIX) if is_provider(type) else type.split(":", 1)[0]


def is_provider(type: str) -> bool:
    return type.startswith(_PROVIDER_PREFIX)


def provider_type(package: str) -> str:
    return _PROVIDER_PREFIX + package


def is_default_provider(urn: str) -> bool:
    name = name_of(urn)
    return is_provider(type_of(urn)) and (name == "default" or name.startswith("default_"))


def split_reference(reference: str) -> tuple[str, str]:
    """A provider reference `urn::id` as (urn, id)."""
    urn, _, id = reference.rpartition("::")
    _parts(urn)
    return urn, id
