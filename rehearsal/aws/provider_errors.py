"""What botocore and the emulators say, as one sentence with the operation, the code and, where it can be told, the
property; and what the engine has to know about a resource that exists in spite of the error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    ParamValidationError,
)

from rehearsal.aws.handler import Call
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.values import Properties

_PARAMETER = re.compile(r"parameter:? \"?([A-Za-z0-9_.\[\]]+)|in input: \"([A-Za-z0-9_]+)\"|in ([A-Za-z0-9_.\[\]]+):")
_QUOTED = re.compile(r"'([A-Za-z][A-Za-z0-9]+)'|\b([A-Z][a-z]+[A-Z][A-Za-z]+)\b")
# What may be otherwise the next time, so that taking the operation up again makes sense.
_TRANSIENT = re.compile(
    r"AccessDenied|UnauthorizedOperation|Throttl|RequestLimitExceeded|SlowDown|Unavailable|Internal")


@contextmanager
def explained(context: Context, names: Iterable[str], call: Call | None = None,
              inputs: Properties | None = None) -> Iterator[None]:
    """Turns the SDK's exceptions into ProviderError. `names`: inputs that a parameter may go back to.

    Once `call` has made the resource, the error carries its id, with `inputs` as what is known of it; when calls took
    effect but the id is not known, or when no answer came at all, the error leaves the operation in doubt.
    """
    try:
        yield
    except ParamValidationError as error:
        report = str(error.kwargs["report"]).strip()
        parameter = next((a or b or c for a, b, c in _PARAMETER.findall(report)), "")
        place = property_of(parameter.rpartition(".")[2] if parameter else "", names)
        message = f"refused before it was sent{_at(place)}: {'; '.join(report.splitlines())}"
        raise _error(context, message, call, inputs) from error
    except ClientError as error:
        details = error.response.get("Error", {})
        code, said = str(details.get("Code", "unknown code")), str(details.get("Message") or "no message")
        place = next((name for a, b in _QUOTED.findall(said) if (name := property_of(a or b, names))), "")
        message = f"{error.operation_name} was refused{_at(place)}: {code}: {said}"
        transient = bool(_TRANSIENT.search(code)) and call is not None and call.effects > 0
        raise _error(context, message, call, inputs, in_doubt=transient) from error
    except BotoCoreError as error:
        lost = isinstance(error, HTTPClientError | ConnectionError)
        hint = "; is the embedded AWS running? `candlefish rehearse status` says so" if lost else ""
        raise _error(context, f"{error}{hint}", call, inputs, in_doubt=lost) from error
    except ProviderError as error:
        if error.partial is not None or call is None or call.made_id is None:
            raise
        raise ProviderError(str(error), (call.made_id, inputs or {})) from error


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


def _error(context: Context, message: str, call: Call | None, inputs: Properties | None,
           in_doubt: bool = False) -> ProviderError:
    text = f"{context.type} {context.name!r}: {message}"
    if call is not None and call.made_id is not None:
        return ProviderError(text, (call.made_id, inputs or {}))
    return ProviderError(text, in_doubt=in_doubt)


def _at(place: str) -> str:
    return f" (property `{place}`)" if place else ""
