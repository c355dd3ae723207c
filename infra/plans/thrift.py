"""What would bring an estimate inside its band: single changes of the settings, tried one by one."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plans.instances import INSTANCE_TYPES
from infra.plans.platform_costs import average_nodes
from infra.plans.prices import Book, book
from infra.plans.stack_costs import estimate
from infra.plans.usage import SIZES, month
from infra.settings.model import Capacity, NodeGroup, Settings

# A change in the words of the stack file, and the settings with it.
Change = tuple[str, Settings]
_CLASSES = ("micro", "small", "medium", "large", "xlarge", "2xlarge")


def remedies(settings: Settings, lowest: float, highest: float) -> str:
    """A sentence: the changes that are enough alone, the smallest difference first, or the one that comes nearest."""
    middle = (lowest + highest) / 2
    tried = sorted(((estimate(changed, book()).platform, words) for words, changed in changes(settings)),
                   key=lambda entry: abs(entry[0] - estimate(settings, book()).platform))
    enough = [f"{words} ({usd:,.0f})" for usd, words in tried if lowest <= usd <= highest]
    if enough:
        return f"Enough alone: {'; '.join(enough[:3])}."
    usd, words = min(tried, key=lambda entry: abs(entry[0] - middle))
    return f"No single change is enough; the nearest is {words} ({usd:,.0f})."


def changes(settings: Settings) -> Iterator[Change]:
    """Those that leave the environment what it has to be: zones, copies and gateways stay as many."""
    for make in (_size, _nodes, _types, _spot, _database, _storage, _cache):
        yield from make(settings)


def _size(settings: Settings) -> Iterator[Change]:
    for size in SIZES:
        if size != settings.usage.size:
            yield f"usage.size: {size}", settings.model_copy(
                update={"usage": settings.usage.model_copy(update={"size": size})})


def _nodes(settings: Settings) -> Iterator[Change]:
    for name, group in settings.cluster.node_groups.items():
        for desired in {group.minimum, group.desired - 1, group.desired + 1}:
            if group.minimum <= desired <= group.maximum and desired != group.desired:
                yield f"cluster.nodeGroups.{name}.desired: {desired}", _with_group(settings, name, desired=desired)


def _types(settings: Settings) -> Iterator[Change]:
    """Another type alone, of the same architecture and at least the size of the group's first."""
    prices, expected = book(), month(settings.usage)
    for name, group in settings.cluster.node_groups.items():
        first = INSTANCE_TYPES.get(group.instance_types[0])
        if first is None:
            continue  # the settings refuse it
        for other, instance in INSTANCE_TYPES.items():
            if (instance.architecture == first.architecture and other not in group.instance_types
                    and instance.cpus >= first.cpus and instance.memory_mib >= first.memory_mib
                    and average_nodes(group, expected) and _has_price(prices, group, other, settings.region)):
                yield f"cluster.nodeGroups.{name}.instanceTypes: [{other}]", _with_group(
                    settings, name, instance_types=(other,))


def _has_price(prices: Book, group: NodeGroup, name: str, region: str) -> bool:
    kind = "ec2" if group.capacity is Capacity.ON_DEMAND else "ec2-spot"
    return prices.find(f"{kind}.{name}", region) is not None


def _spot(settings: Settings) -> Iterator[Change]:
    """Only beside another group on demand, or where none of the groups is: production keeps its base."""
    groups = settings.cluster.node_groups
    on_demand = [name for name, group in groups.items() if group.capacity is Capacity.ON_DEMAND]
    for name in on_demand if len(on_demand) > 1 else ():
        yield f"cluster.nodeGroups.{name}.capacity: SPOT", _with_group(settings, name, capacity=Capacity.SPOT)


def _database(settings: Settings) -> Iterator[Change]:
    zones = "multi" if settings.database.multi_az else "single"
    for name in _neighbours(settings.database.instance_class, f"rds.{zones}.", settings.region):
        yield f"database.instanceClass: {name}", settings.model_copy(
            update={"database": settings.database.model_copy(update={"instance_class": name})})


def _storage(settings: Settings) -> Iterator[Change]:
    for gib in (settings.database.storage_gib // 2, settings.database.storage_gib * 2):
        if 20 <= gib <= settings.database.maximum_storage_gib:
            yield f"database.storageGib: {gib}", settings.model_copy(
                update={"database": settings.database.model_copy(update={"storage_gib": gib})})


def _cache(settings: Settings) -> Iterator[Change]:
    for name in _neighbours(settings.cache.node_type, f"cache.{settings.cache.engine}.", settings.region):
        yield f"cache.nodeType: {name}", settings.model_copy(
            update={"cache": settings.cache.model_copy(update={"node_type": name})})


def _neighbours(name: str, prefix: str, region: str) -> Iterator[str]:
    """The next smaller and larger class of the family that have a price."""
    family, _, size = name.rpartition(".")
    if size not in _CLASSES:
        return
    at = _CLASSES.index(size)
    for other in (at - 1, at + 1):
        if 0 <= other < len(_CLASSES) and book().find(f"{prefix}{family}.{_CLASSES[other]}", region):
            yield f"{family}.{_CLASSES[other]}"


def _with_group(settings: Settings, name: str, **values: object) -> Settings:
    groups = {**settings.cluster.node_groups, name: settings.cluster.node_groups[name].model_copy(update=values)}
    return settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"node_groups": groups})})


