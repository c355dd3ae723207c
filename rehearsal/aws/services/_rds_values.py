"""Instance classes and engine versions that RDS sells; the emulator takes any text.

Stand-in values: modelled on the RDS User Guide's tables "Supported DB engines for DB instance classes" and the release
calendars of RDS for PostgreSQL, MySQL and MariaDB, but not compared with them. The real lists are what
DescribeOrderableDBInstanceOptions and DescribeDBEngineVersions answer. A minor version newer than the table is taken
on trust.
"""

from __future__ import annotations

import re

_SMALL = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
_FAMILIES = {
    "t3": _SMALL,
    "t4g": _SMALL,
    **dict.fromkeys(
        (
            "m5",
            "m5d",
            "m6g",
            "m6gd",
            "m6i",
            "m6id",
            "m6idn",
            "m6in",
            "m7g",
            "m7i",
            "m8g",
            "m8gd",
            "r5",
            "r5b",
            "r5d",
            "r6g",
            "r6gd",
            "r6i",
            "r6id",
            "r6idn",
            "r6in",
            "r7g",
            "r7i",
            "r8g",
            "r8gd",
        ),
        ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    ),
    "x2g": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
    "x2idn": ("16xlarge", "24xlarge", "32xlarge"),
    "x2iedn": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "24xlarge", "32xlarge"),
}
_LARGER = {"m6i", "m6id", "r6i", "r6id", "m6idn", "r6idn", "m6in", "r6in"}  # also 32xlarge

_DEFAULT_MINOR = {
    "postgres": {"13": "22", "14": "19", "15": "14", "16": "10", "17": "6", "18": "1"},
    "mysql": {"8.0": "43", "8.4": "6"},
    "mariadb": {"10.6": "23", "10.11": "14", "11.4": "8", "11.8": "3"},
}
_DEFAULT_MAJOR = {"postgres": "17", "mysql": "8.4", "mariadb": "11.8"}
DEFAULT_PORT = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}

# Zone in which RDS endpoints are aliased. us-east-1: the example answer of DescribeDBClusters in the AWS SDK; the
# others are not checked against a source.
HOSTED_ZONES = {
    "us-east-1": "Z2R2ITUGPM61AM",
    "us-east-2": "Z2XHWR1WZ565X2",
    "us-west-1": "Z10WI91S59XXQN",
    "us-west-2": "Z1PVIF0B656C1W",
    "eu-west-1": "Z29XKXDKYMONMX",
    "eu-central-1": "Z1RLNUO7B9Q6NB",
}


def class_problem(instance_class: str) -> str | None:
    """Why RDS would refuse the class, or None."""
    match = re.fullmatch(r"db\.([a-z0-9]+)\.([a-z0-9]+)", instance_class)
    sizes = _FAMILIES.get(match[1]) if match else None
    if match and sizes and (match[2] in sizes or (match[1] in _LARGER and match[2] == "32xlarge")):
        return None
    return f"Invalid DB Instance class: {instance_class}"


def _minor(version: str, major: str) -> str:
    return version.removeprefix(major).removeprefix(".")


def resolve_version(engine: str, version: str | None) -> str | None:
    """The full version that RDS would install for a full or partial one; None when it is not for sale.

    An engine without a table (Oracle, SQL Server, Db2) is taken as given.
    """
    minors = _DEFAULT_MINOR.get(engine)
    if minors is None:
        return version
    wanted = version or _DEFAULT_MAJOR[engine]
    for major, default in minors.items():
        if wanted == major:
            return f"{major}.{default}"
        minor = _minor(wanted, major)
        if wanted.startswith(major + ".") and re.fullmatch(r"\d{1,2}", minor) and int(minor) > 0:
            return wanted
    return None


def versions(engine: str) -> list[str]:
    """Default minor of each major version on sale, oldest first."""
    return [f"{major}.{minor}" for major, minor in _DEFAULT_MINOR.get(engine, {}).items()]


def family(engine: str, version: str) -> str:
    """Parameter group family: `postgres17`, `mysql8.4`."""
    parts = version.split(".")
    return engine + (parts[0] if engine == "postgres" else ".".join(parts[:2]))


def is_family(name: str) -> bool:
    """Whether it is a family of an engine in the table, or of an engine without one."""
    known = {family(engine, major + ".0") for engine, minors in _DEFAULT_MINOR.items() for major in minors}
    return name in known or not re.match(r"(postgres|mysql|mariadb)", name)
