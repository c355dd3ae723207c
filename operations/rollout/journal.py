"""The journal in the cluster: a ConfigMap a service, written before each step and only by who has read it last."""

from __future__ import annotations

from dataclasses import replace

from infra.plans.pods import OWNER, metadata
from kube.client import Client, Conflict, NotFound, Object
from operations.cluster import FIELD_MANAGER
from operations.errors import Contested
from operations.patience import patiently
from operations.rollout.model import Book, Record, Target, Wish


class Journal:
    """Of one service. Not thread-safe: its owner writes it."""

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._target = client, target
        self.book = Book()

    def load(self) -> Book:
        self.book = self._read() or Book()
        return self.book

    def _read(self) -> Book | None:
        try:
            return Book.of(patiently(lambda: self._client.get("v1", "ConfigMap", self._target.journal,
                                                              self._target.namespace)))
        except NotFound:
            return None

    @property
    def record(self) -> Record:
        """Of the rollout at work: there is one."""
        current = self.book.current
        assert current is not None
        return current

    def begin(self, record: Record) -> None:
        self._write(self.book.begun(record))

    def note(self, record: Record) -> None:
        """Raises Contested when somebody else has written meanwhile; a wish alone is taken over."""
        try:
            self._write(replace(self.book, current=record))
        except Conflict:
            found = self._read()
            ours = self.book.current
            if found is None or found.current is None or ours is None:
                raise Contested(f"the journal of {self._target.name} was removed while this rollout was at work; "
                                "both colours stay as they are") from None
            if replace(found.current, wish=Wish.NONE) != replace(ours, wish=Wish.NONE):
                raise Contested(f"the journal of {self._target.name} says that another rollout is at work (revision "
                                f"{found.current.revision}, by {found.current.by}); this one stops") from None
            self._write(replace(found, current=replace(record, wish=found.current.wish)))

    def wished(self) -> Wish:
        """Asked again of the cluster; the book keeps it."""
        found = self._read()
        if found is not None and found.current is not None and self.book.current is not None \
                and found.current.revision == self.book.current.revision:
            self.book = replace(self.book, current=replace(self.book.current, wish=found.current.wish),
                                version=found.version)
            return found.current.wish
        return Wish.NONE

    def wish(self, wish: Wish) -> None:
        """From outside: asks whoever is at work. Tried again when the journal changes meanwhile."""
        while True:
            book = self.load()
            if book.current is None or book.current.finished:
                return
            try:
                self._write(replace(book, current=replace(book.current, wish=wish)))
                return
            except Conflict:
                continue

    def _write(self, book: Book) -> None:
        """Raises Conflict when the object is not the one that was read. Repeated while the API server is away; what
        was written and not answered is found to be ours."""
        body: Object = {"apiVersion": "v1", "kind": "ConfigMap", "data": book.data(),
                "metadata": metadata(self._target.journal, self._target.namespace,
                                     {**OWNER, "app.kubernetes.io/component": "rollout"})}
        if book.version:
            body["metadata"]["resourceVersion"] = book.version
        try:
            answer = patiently(lambda: self._client.replace(body) if book.version
                               else self._client.create(body, field_manager=FIELD_MANAGER))
        except Conflict:
            found = self._read()
            if found is None or found.data() != book.data():
                raise
            self.book = found
            return
        self.book = replace(book, version=answer["metadata"]["resourceVersion"])
