"""CloudFront's AssociateAlias, which MiniStack lacks: a name goes from one distribution to another in one step.

That the target's certificate has the name, and that a TXT record says so, is AWS's to check and is not checked here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from ministack.services import cloudfront

Answer = tuple[int, dict[str, str], bytes]
_PATH = re.compile(r"/2020-05-31/distribution/([^/]+)/associate-alias/?")
_NAMESPACE = re.compile(r"\{[^}]*\}")


def install() -> None:
    """Puts our handling in front of MiniStack's."""
    served: Callable[..., Awaitable[Answer]] = cloudfront.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Answer:
        found = _PATH.fullmatch(path)
        if method == "PUT" and found:
            return associated(found[1], cloudfront._qval(query_params, "Alias", ""))
        return await served(method, path, headers, body, query_params)

    cloudfront.handle_request = handle


def associated(id: str, alias: str) -> Answer:
    distributions = cloudfront._distributions
    target = distributions.get(id)
    if target is None:
        return _refused("NoSuchDistribution", "The specified distribution does not exist.", 404)
    if not alias:
        return _refused("InvalidArgument", "Alias is missing.", 400)
    for distribution in list(distributions.values()):
        names = _aliases(distribution)
        wanted = [name for name in names if name != alias] if distribution is not target else sorted({*names, alias})
        if wanted != names:
            _write(distribution, wanted)
    return 200, {}, b""


def _refused(kind: str, text: str, status: int) -> Answer:
    answer: Answer = cloudfront._error(kind, text, status)
    return answer


def _aliases(distribution: dict[str, Any]) -> list[str]:
    return [str(item.text) for item in _block(fromstring(distribution["config_xml"])).iter() if _tag(item) == "CNAME"]


def _write(distribution: dict[str, Any], names: list[str]) -> None:
    config = fromstring(distribution["config_xml"])
    block = _block(config)
    space = (_NAMESPACE.match(config.tag) or [""])[0]
    for child in list(block):
        block.remove(child)
    SubElement(block, f"{space}Quantity").text = str(len(names))
    items = SubElement(block, f"{space}Items")
    for name in names:
        SubElement(items, f"{space}CNAME").text = name
    distribution["config_xml"] = tostring(config, encoding="unicode")
    distribution["ETag"], distribution["LastModifiedTime"] = cloudfront.new_uuid(), cloudfront._now_iso()


def _block(config: Element) -> Element:
    found = next((child for child in config if _tag(child) == "Aliases"), None)
    if found is None:
        found = SubElement(config, f"{(_NAMESPACE.match(config.tag) or [''])[0]}Aliases")
    return found


def _tag(element: Element) -> str:
    return _NAMESPACE.sub("", element.tag)
