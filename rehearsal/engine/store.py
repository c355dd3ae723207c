"""The deployment on disk: Pulumi's deployment JSON, version 3, one resource a line.

Every change is followed by a write of the whole snapshot to a temporary file and a rename. Writes are grouped: a
thread writes the latest snapshot, and a step goes on when a snapshot that holds it is on disk. Each resource's JSON
is cached, so that a write costs the copying of bytes. A run that changed nothing leaves the file untouched.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.engine.crypt import Crypter
from rehearsal.engine.errors import StateCorrupt, StateNotWritten
from rehearsal.engine.masking import Masker
from rehearsal.engine.order import ordered
from rehearsal.engine.state import Codec, State, now, read_state

ENGINE_VERSION = "v3.272.0"  # of the SDK whose protocol is spoken; the manifest's magic is its hash


@dataclass(frozen=True)
class StateFile:
    """Where the state is, and what its secrets are encrypted with."""

    path: Path
    passphrase: str


class Pending:
    """A mutation that has begun. `kind`: creating, updating, deleting. Its operation id depends on the resource, the
    kind and the moment it began, so that it is the same after a crash and never that of another operation. The
    resource is written as it was then: what the step learns later must not change the id."""

    def __init__(self, state: State, kind: str) -> None:
        self.state = state
        self.kind = kind
        text = f"{state.urn}\0{kind}\0{state.modified}"
        self.operation = hashlib.sha256(text.encode()).hexdigest()[:32]
        self._spelled: bytes | None = None

    def json(self, codec: Codec) -> bytes:
        """Fixed by the first call."""
        if self._spelled is None:
            self._spelled = b'{"resource":%s,"type":"%s"}' % (self.state.json(codec), self.kind.encode())
        return self._spelled


@dataclass
class Loaded:
    """What a state file holds."""

    resources: list[State] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    salt: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)  # metadata and other top-level fields, kept as they are


def load(file: StateFile, crypter_of: Callable[[str | None], Crypter], masker: Masker) -> tuple[Loaded, Codec]:
    """Reads the file; an absent one is an empty deployment. Raises StateCorrupt."""
    try:
        raw = json.loads(file.path.read_bytes())
    except FileNotFoundError:
        return Loaded(), Codec(crypter_of(None), masker)
    except ValueError as error:
        raise StateCorrupt(f"{file.path} is not JSON ({error}); restore it from a backup or remove it, which forgets "
                           "every resource in it") from error
    try:
        if raw["version"] != 3:
            raise StateCorrupt(f"{file.path} has deployment version {raw['version']}; only version 3 is read")
        deployment = raw["deployment"]
        provider = deployment.get("secrets_providers") or {}
        if provider.get("type", "passphrase") != "passphrase":
            raise StateCorrupt(f"{file.path} is encrypted with the secrets provider {provider['type']}; only "
                               "`passphrase` works offline: change it with `pulumi stack change-secrets-provider`")
        salt = (provider.get("state") or {}).get("salt")
        codec = Codec(crypter_of(salt), masker)
        if '"ciphertext"' in json.dumps(deployment.get("resources", [])):
            codec.crypter.start()
        resources = [read_state(item, codec) for item in deployment.get("resources") or []]
        pending = [Pending(read_state(item["resource"], codec), item["type"])
                   for item in deployment.get("pending_operations") or []]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateCorrupt(f"{file.path} is not a Pulumi deployment ({error!r}); restore it from a backup") from error
    known = ("manifest", "secrets_providers", "resources", "pending_operations")
    extra = {key: value for key, value in deployment.items() if key not in known}
    return Loaded(resources, pending, salt, extra), codec


class Store:
    """The state of a run. `done`: resources that this run has dealt with, in the order of their registration, so that
    references come first; `rest`: those it has not, in the file's order."""

    def __init__(self, path: Path, loaded: Loaded, codec: Codec, *, frozen: bool = False) -> None:
        self.path = path
        self.codec = codec
        self.frozen = frozen  # a preview: nothing is ever written
        self.lock = threading.RLock()
        self.done: dict[int, State] = {}
        self.rest: dict[int, State] = {id(state): state for state in loaded.resources}
        self.pending: dict[int, Pending] = {id(pending): pending for pending in loaded.pending}
        for pending in loaded.pending:
            pending.json(codec)
        self._extra = loaded.extra
        self._dirty = False
        self._wanted = 0
        self._written = 0
        self._failure: StateNotWritten | None = None
        self._changed = threading.Condition(self.lock)
        self._closing = False
        self._writer: threading.Thread | None = None

    def states(self) -> list[State]:
        with self.lock:
            return [*self.done.values(), *self.rest.values()]

    def is_pending(self, urn: str) -> bool:
        """Whether a mutation of the resource has begun, of this run or the one before, and its outcome is open."""
        with self.lock:
            return any(pending.state.urn == urn for pending in self.pending.values())

    def change(self, *, add: Iterable[State] = (), remove: Iterable[State] = (), begin: Pending | None = None,
               end: Pending | None = None, wait: bool = True, first: Iterable[State] = ()) -> None:
        """One change of the snapshot; returns when it is on disk, unless told not to wait. `add` moves resources to
        the end of what is done; `first` puts resources back that wait for their deletion."""
        if not self.frozen:
            for state in add:
                state.json(self.codec)
            if begin is not None:
                begin.json(self.codec)
        with self.lock:
            for state in remove:
                self.done.pop(id(state), None)
                self.rest.pop(id(state), None)
            for state in add:
                self.rest.pop(id(state), None)
                self.done[id(state)] = state
            for state in first:
                self.done.pop(id(state), None)
                self.rest[id(state)] = state
            if begin is not None:
                self.pending[id(begin)] = begin
            if end is not None:
                self.pending.pop(id(end), None)
            if self.frozen:
                return
            if self._closing:
                raise StateNotWritten(f"{self.path} has been closed: the run that this step belongs to is over; the "
                                      "next run takes the step again")
            self._dirty = True
            self._wanted += 1
            ticket = self._wanted
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_all, name="state-writer", daemon=True)
                self._writer.start()
            self._changed.notify_all()
            while wait and self._written < ticket and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure

    def adopt(self, state: State) -> None:
        """Moves an unchanged resource to what is done; nothing needs to be written."""
        with self.lock:
            self.rest.pop(id(state), None)
            self.done[id(state)] = state

    def _write_all(self) -> None:
        while True:
            with self.lock:
                while self._written == self._wanted and not self._closing:
                    self._changed.wait()
                if self._written == self._wanted:
                    return
                ticket = self._wanted
                states = [*self.done.values(), *self.rest.values()]
                pending = list(self.pending.values())
            try:
                self._write(states, pending)
            except StateNotWritten as error:
                with self.lock:
                    self._failure = error
                    self._changed.notify_all()
                return
            with self.lock:
                self._written = ticket
                self._changed.notify_all()

    def close(self) -> None:
        """Writes the resources in their canonical order, with an fsync, if anything has changed."""
        with self.lock:
            self._closing = True
            self._changed.notify_all()
        if self._writer is not None:
            self._writer.join()
        if self._failure is not None:
            raise self._failure
        if self._dirty and not self.frozen:
            self._write(ordered(self.states()), list(self.pending.values()), sync=True)

    def _write(self, states: list[State], pending: list[Pending], *, sync: bool = False) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.render(states, pending))
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise StateNotWritten(
                f"the state could not be written to {self.path}: {error.strerror}. The file still holds the state "
                "before this step; make room or mend the permissions, then run `up` again: it takes interrupted "
                "steps again") from error

    def render(self, states: list[State], pending: list[Pending]) -> bytes:
        """The file's bytes."""
        version = ENGINE_VERSION
        manifest = {"time": now(), "magic": hashlib.sha256(version.encode()).hexdigest(), "version": version}
        secrets = {"type": "passphrase", "state": {"salt": self.codec.crypter.salt_state}}
        resources = b",\n".join(state.json(self.codec) for state in states)
        operations = b",\n".join(item.json(self.codec) for item in pending)
        extra = {"metadata": {}} | self._extra
        return b"".join((
            b'{"version":3,"deployment":{\n"manifest":', json.dumps(manifest).encode(),
            b',\n"secrets_providers":', json.dumps(secrets).encode(),
            b',\n"resources":[\n', resources, b"]",
            (b',\n"pending_operations":[\n' + operations + b"]") if pending else b"",
            *(b",\n" + json.dumps(key).encode() + b":" + json.dumps(value).encode() for key, value in extra.items()),
            b"\n}}\n"))
