"""The table of versions in docs/upgrades.md: each where it is said, and what a preview shows when it changes.

    python -m tests.upgrades            # 1 if the page differs from the program
    python -m tests.upgrades --write

Versions come from the tables that the program is made of; whether a change replaces comes from the providers' sources,
as previews have it. tests/unit/upkeep/test_upgrades_page.py holds the page against it.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.components import database
from infra.components.function import RUNTIME
from infra.components.node_groups import _AMI_TYPES
from infra.plans.charts import CHARTS
from infra.plans.managed_addons import ADDONS, VERSIONS
from infra.settings.load import load_file
from infra.settings.model import Settings
from rehearsal.kubernetes import releases
from rehearsal.sdk.replacements import Replacements, installed
from tests.program import ROOT
from tests.stacks import STACKS

PAGE = ROOT / "docs/upgrades.md"
_BLOCK = re.compile(r"(?s)(<!-- versions -->\n).*?(<!-- /versions -->)")
_RELEASE = "kubernetes:helm.sh/v3:Release"


@dataclass(frozen=True)
class Row:
    """`versions`: now. `said`: where to change them. `properties`: of the graph, that then change: (type,
    property). `how`: the section of the page."""

    what: str
    versions: tuple[str, ...]
    said: str
    how: str
    properties: tuple[tuple[str, str], ...] = ()


def rows() -> list[Row]:
    settings = {stack: load_file(ROOT / f"Pulumi.{stack}.yaml") for stack in STACKS}

    def same(read: str) -> str:
        """The one value of all stacks, or each with its stack."""
        values = {stack: _at(each, read) for stack, each in settings.items()}
        return next(iter(values.values())) if len({*values.values()}) == 1 else ", ".join(
            f"{stack} {value}" for stack, value in values.items())

    kubernetes = same("cluster.version")
    newest = VERSIONS[settings["production"].cluster.version]
    return [
        Row("Kubernetes", (kubernetes,), "`cluster.version` in each stack file", "Kubernetes",
            (("aws:eks/cluster:Cluster", "version"), ("aws:eks/nodeGroup:NodeGroup", "version"))),
        Row("nodes' image", tuple(_AMI_TYPES.values()), "`infra/components/node_groups.py`",
            "Nodes' images", (("aws:eks/nodeGroup:NodeGroup", "amiType"),)),
        *(Row(f"add-on {addon.name}", (newest[addon.name],), "`infra/plans/managed_addons.py`",
              "EKS add-ons", (("aws:eks/addon:Addon", "addonVersion"),)) for addon in ADDONS),
        *(Row(f"chart {chart.chart}", (chart.version,), "`infra/plans/charts.py`", "Helm charts",
              ((_RELEASE, "version"),)) for chart in CHARTS),
        Row("PostgreSQL", (same("database.engine_version"),),
            "`database.engineVersion`, with `database.majorUpgrade`", "PostgreSQL",
            (("aws:rds/instance:Instance", "engineVersion"), ("aws:rds/parameterGroup:ParameterGroup", "family"))),
        Row("the cache", (same("cache.engine"), same("cache.engine_version")),
            "`cache.engine`, `cache.engineVersion`", "The cache",
            (("aws:elasticache/replicationGroup:ReplicationGroup", "engine"),
             ("aws:elasticache/replicationGroup:ReplicationGroup", "engineVersion"),
             ("aws:elasticache/parameterGroup:ParameterGroup", "family"))),
        Row("functions' Python", (RUNTIME,), "`infra/components/function.py`", "Functions' Python",
            (("aws:lambda/function:Function", "runtime"),)),
        Row("canaries' runtime", (same("observability.synthetics.runtime"),),
            "`observability.synthetics.runtime`", "Functions' Python",
            (("aws:synthetics/canary:Canary", "runtimeVersion"),)),
        Row("CloudFront's function", (_cdn_runtime(),), "`infra/components/edge/static.py`",
            "Functions' Python", (("aws:cloudfront/function:Function", "runtime"),)),
        Row("the database's certificate authority", (database._CERTIFICATE_AUTHORITY,),
            "`infra/components/database.py`", "Certificates", (("aws:rds/instance:Instance", "caCertIdentifier"),)),
        *(Row(f"package {name}", (version,), "`requirements.txt`", "Pulumi and its providers")
          for name, version in packages().items()),
        *(Row(f"image {path.parent.name}", (_base(path),), f"`images/{path.parent.name}/Dockerfile`",
              "Images and actions") for path in sorted(ROOT.glob("images/*/Dockerfile"))),
        *(Row(f"action {name}", (version,), "`.github/workflows`", "Images and actions")
          for name, version in actions().items()),
    ]


def packages() -> dict[str, str]:
    return dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)$", (ROOT / "requirements.txt").read_text()))


def actions() -> dict[str, str]:
    found = {match for file in (ROOT / ".github/workflows").glob("*.yml")
             for match in re.findall(r"uses: (\S+)@\w+ # v(\S+)", file.read_text())}
    return dict(sorted(found))


def _at(settings: Settings, path: str) -> str:
    value: object = settings
    for part in path.split("."):
        value = getattr(value, part)
    return str(value)


def _base(dockerfile: Path) -> str:
    [found] = re.findall(r"(?m)^FROM (\S+)", dockerfile.read_text())
    return str(found)


def _cdn_runtime() -> str:
    [found] = re.findall(r'runtime="([\w.-]+)"', (ROOT / "infra/components/edge/static.py").read_text())
    return str(found)


def shown(row: Row, replacements: Replacements) -> str:
    """What a preview says of the change."""
    if not row.properties:
        return "nothing, or what the new release does differently"
    return "; ".join(f"{type.rpartition(':')[2]} `{path}`: {_verdict(type, path, replacements)}"
                     for type, path in row.properties)


def _verdict(type: str, path: str, replacements: Replacements) -> str:
    if type == _RELEASE:
        replaces = any(each.replaces for each in releases.diff({path: "1"}, {path: "2"}).properties)
    else:
        replaces = replacements.forces(type, path).replaces
    return "**replaced**" if replaces else "in place"


def table() -> str:
    replacements = installed()
    lines = ["| what | now | where it is said | a preview shows | how |", "|---|---|---|---|---|"]
    for row in rows():
        now = ", ".join(row.versions)
        anchor = re.sub(r"[^a-z -]", "", row.how.lower()).replace(" ", "-")
        lines.append(f"| {row.what} | {now} | {row.said} | {shown(row, replacements)} | [{row.how}](#{anchor}) |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table as the program has it. Raises ValueError for a page without a place for it."""
    if not _BLOCK.search(text):
        raise ValueError(f"{PAGE.name} has no <!-- versions --> … <!-- /versions -->")
    return _BLOCK.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)


def main() -> int:
    there = PAGE.read_text(encoding="utf-8")
    wanted = page(there)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if wanted != there:
        print("the page differs: python -m tests.upgrades --write")
        return 1
    print("the page is as the program says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
