"""A stack's outputs, wherever the stack is: from a file, or from the Pulumi CLI."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from candlefish.project import project_directory
from operations.errors import NotAcceptable, OperationError

VARIABLE = "CANDLEFISH_OUTPUTS"
TIMEOUT_SECONDS = 120  # the backend may be slow; a prompt for a passphrase never ends
Outputs = Annotated[Path | None, typer.Option(
    "--outputs", envvar=VARIABLE, help="a file as `pulumi stack output --json` writes it; otherwise Pulumi is asked")]


def outputs_of(stack: str, given: Path | None) -> dict[str, Any]:
    """Secrets stay hidden. Raises NotAcceptable for a file that has none, OperationError when Pulumi does not tell."""
    if given is not None:
        try:
            return _parsed(given.read_text(), str(given))
        except OSError as error:
            raise NotAcceptable(f"--outputs (or {VARIABLE}) is {given}: {error.strerror}; write it with `pulumi stack "
                                f"output --json --stack {stack}`, or for a rehearsal take `candlefish rehearse env`"
                                ) from None
    program = shutil.which("pulumi")
    if program is None:
        raise OperationError(
            f"the outputs of {stack} are not known: there is no pulumi on PATH, no --outputs and no {VARIABLE}. For a "
            f'rehearsal: eval "$(candlefish rehearse env --stack {stack})"')
    command = [program, "stack", "output", "--json", "--non-interactive", "--stack", stack]
    try:
        done = subprocess.run(command, cwd=project_directory(), capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise OperationError(f"`pulumi stack output --stack {stack}` did not end in {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        raise OperationError(f"`pulumi stack output --stack {stack}` failed: {done.stderr.strip()}")
    return _parsed(done.stdout, "pulumi stack output")


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NotAcceptable(f"{where} is no JSON: {error}") from None
    if not isinstance(found, dict) or not found:
        raise NotAcceptable(f"{where} has no outputs: it should be one JSON object, name → value")
    return found
