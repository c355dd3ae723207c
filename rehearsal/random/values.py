"""How each resource type of pulumi-random makes its value from a generator and its inputs.

Rules and character sets are those of terraform-provider-random (internal/random/string.go, the documentation).
"""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable, Mapping
from typing import TypeAlias

from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties, Secret

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_ADJECTIVES = ("amber", "brave", "calm", "clever", "deep", "eager", "gentle", "glowing", "keen", "lucid", "mellow",
               "nimble", "quiet", "rapid", "silent", "steady", "sunlit", "tidal", "vivid", "warm")
_ANIMALS = ("anglerfish", "bobtail", "comb", "dragonfish", "firefly", "flashlight", "hatchetfish", "jelly", "krill",
            "lantern", "medusa", "octopus", "polyp", "seapen", "shrimp", "siphon", "squid", "starfish", "urchin")


def text(draw: random.Random, inputs: Properties) -> str:
    """A string of `length` with at least so many of each class as asked for."""
    length = inputs["length"]
    classes = (("lower", "minLower", string.ascii_lowercase), ("upper", "minUpper", string.ascii_uppercase),
               ("numeric", "minNumeric", string.digits),
               ("special", "minSpecial", inputs.get("overrideSpecial") or SPECIAL))
    wanted = {name: bool(inputs.get(name, inputs.get("number", True) if name == "numeric" else True))
              for name, _, _ in classes}
    least = {minimum: int(inputs.get(minimum) or 0) for _, minimum, _ in classes}
    if length < 1 or sum(least.values()) > length:
        raise ProviderError(f"`length` is {length}; it must be at least 1 and at least the sum of minLower, minUpper, "
                            f"minNumeric and minSpecial, which is {sum(least.values())}")
    everything = "".join(characters for name, _, characters in classes if wanted[name])
    if not everything:
        raise ProviderError("at least one of lower, upper, numeric and special must be true")
    chosen = [draw.choice(characters) for _, minimum, characters in classes for _ in range(least[minimum])]
    chosen += [draw.choice(everything) for _ in range(length - len(chosen))]
    draw.shuffle(chosen)
    return "".join(chosen)


def password(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    """The id is "none", as the provider has it. `bcryptHash` is not made: nothing here reads it."""
    return "none", {"result": Secret(text(draw, inputs))}


def plain_string(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    result = text(draw, inputs)
    return result, {"result": result}


def identifier(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    size = inputs["byteLength"]
    if size < 1:
        raise ProviderError(f"`byteLength` is {size}; at least 1 is needed")
    content, prefix = draw.randbytes(size), inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return url, {"b64Url": prefix + url, "b64Std": prefix + base64.b64encode(content).decode(),
                 "hex": prefix + content.hex(), "dec": prefix + str(int.from_bytes(content, "big"))}


def pet(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    length = inputs.get("length", 2)
    words = [draw.choice(_ADJECTIVES) for _ in range(length - 1)] + [draw.choice(_ANIMALS)]
    separator = inputs.get("separator", "-")
    return separator.join([*([inputs["prefix"]] if inputs.get("prefix") else []), *words]), {
        "length": length, "separator": separator}


def integer(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    if inputs["min"] > inputs["max"]:
        raise ProviderError(f"`min` is {inputs['min']}, which is more than `max`, {inputs['max']}")
    result = draw.randint(inputs["min"], inputs["max"])
    return str(result), {"result": result}


def unique_id(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    result = str(uuid.UUID(int=draw.getrandbits(128), version=4))
    return result, {"result": result}


def shuffle(draw: random.Random, inputs: Properties) -> tuple[str, Properties]:
    found = list(inputs["inputs"])
    draw.shuffle(found)
    count = inputs.get("resultCount") or len(found)
    return "-", {"results": [found[index % len(found)] for index in range(count)] if found else []}


Maker: TypeAlias = Callable[[random.Random, Properties], tuple[str, Properties]]  # → id, outputs
MAKERS: Mapping[str, Maker] = {
    "random:index/randomPassword:RandomPassword": password,
    "random:index/randomString:RandomString": plain_string,
    "random:index/randomId:RandomId": identifier,
    "random:index/randomPet:RandomPet": pet,
    "random:index/randomInteger:RandomInteger": integer,
    "random:index/randomUuid:RandomUuid": unique_id,
    "random:index/randomShuffle:RandomShuffle": shuffle,
}
_TEXT_DEFAULTS: Properties = {"lower": True, "upper": True, "numeric": True, "number": True, "special": True,
                              "minLower": 0, "minUpper": 0, "minNumeric": 0, "minSpecial": 0}
DEFAULTS: Mapping[str, Properties] = {
    "random:index/randomPassword:RandomPassword": _TEXT_DEFAULTS,
    "random:index/randomString:RandomString": _TEXT_DEFAULTS,
}
