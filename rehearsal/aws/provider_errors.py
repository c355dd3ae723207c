"""What botocore and the emulators say, as one sentence with the operation, the code and, where it can be told, the
property."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from rehearsal.engine.provider import Context, ProviderError

_PARAMETER = re.compile(r"parameter:? \"?([A-Za-z0-9_.\[\]]+)|in input: \"([A-Za-z0-9_]+)\"|in ([A-Za-z0-9_.\[\]]+):")
_QUOTED = re.compile(r"'([A-Za-z][A-Za-z0-9]+)'|\b([A-Z][a-z]+[A-Z][A-Za-z]+)\b")


@contextmanager
def explained(context: Context, inputs: Iterable[str]) -> Iterator[None]:
    """Turns the SDK's exceptions into ProviderError. `inputs`: names that a parameter may go back to."""
    try:
        yield
    except ParamValidationError as error:
        report = str(error.kwargs["report"]).strip()
        parameter = next((a or b or c for a, b, c in _PARAMETER.findall(report)), "")
        place = property_of(parameter.rpartition(".")[2] if parameter else "", inputs)
        raise ProviderError(f"{_subject(context)}: refused before it was sent"
                            f"{_at(place)}: {'; '.join(report.splitlines())}") from error
    except ClientError as error:
        details = error.response.get("Error", {})
        message = str(details.get("Message") or "no message")
        words = (a or b for a, b in _QUOTED.findall(message))
        place = next((name for word in words if (name := property_of(word, inputs))), "")
        raise ProviderError(f"{_subject(context)}: {error.operation_name} was refused{_at(place)}: "
                            f"{details.get('Code', 'unknown code')}: {message}") from error
    except BotoCoreError as error:
        raise ProviderError(f"{_subject(context)}: {error}; is the embedded AWS running? "
                            "`candlefish rehearse status` says so") from error


def property_of(parameter: str, inputs: Iterable[str]) -> str:
    """The input that a parameter of the API comes from: the same words, or the parameter ends in them
    (`RoleName` → `name`). Empty when none does."""
    parameter = re.sub(r"\[\d+\]", "", parameter).lower()
    if not parameter:
        return ""
    names = sorted(inputs, key=len, reverse=True)
    for name in names:
        if name.lower().rstrip("s") == parameter.rstrip("s"):
            return name
    return next((name for name in names if len(name) > 3 and parameter.endswith(name.lower())), "")


def _subject(context: Context) -> str:
    return f"{context.type} {context.name!r}"


def _at(place: str) -> str:
    return f" (property `{place}`)" if place else ""
