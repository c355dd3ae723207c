"""The PostgreSQL server behind an instance: what base backups and the log bring back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rehearsal.postgres.binaries import NoPostgres, account, find
from rehearsal.postgres.instances import Content, Instances
from rehearsal.postgres.places import place
from rehearsal.postgres.server import PostgresError, Server

pytestmark = pytest.mark.rehearsal
try:
    BINARIES, ACCOUNT = find(16), account()
except NoPostgres as error:
    pytest.skip(f"{error}", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = place(tmp_path_factory.mktemp("databases"), ACCOUNT)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def source(folder: Path) -> Iterator[Server]:
    server = Server.new(folder / "source", BINARIES, ACCOUNT, "shop")
    server.start()
    server.sql("create table orders (id int primary key)")
    yield server
    server.remove()


@pytest.fixture
def copies(folder: Path, request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    made: list[Server] = []
    yield made
    for server in made:
        server.remove()


def _restored(copies: list[Server], of: Server, until: datetime | None = None) -> Server:
    server = Server.restored(of.home.parent / f"copy-{len(copies)}-{os.urandom(2).hex()}", BINARIES, ACCOUNT, "shop",
                             of.origin(), until)
    copies.append(server)
    server.start()
    return server


def test_a_restore_to_a_time_has_what_was_committed_before_it_and_nothing_later(
        source: Server, copies: list[Server]) -> None:
    source.sql("truncate orders; insert into orders select generate_series(1, 1000)")
    before_the_accident = source.flush()
    source.sql("delete from orders")

    restored = _restored(copies, source, before_the_accident)

    assert restored.sql("select count(*), max(id) from orders") == "1000|1000"
    assert source.sql("select count(*) from orders") == "0"


def test_the_latest_restore_has_the_last_commit(source: Server, copies: list[Server]) -> None:
    source.sql("truncate orders; insert into orders values (1), (2)")
    assert _restored(copies, source).sql("select count(*) from orders") == "2"


def test_a_restored_server_can_be_restored_from_to_a_time_of_its_own(source: Server, copies: list[Server]) -> None:
    source.sql("truncate orders; insert into orders values (1)")
    first = _restored(copies, source)
    first.sql("insert into orders values (2)")
    moment = first.flush()
    first.sql("truncate orders")
    assert _restored(copies, first, moment).sql("select count(*) from orders") == "2"


def test_a_backup_stays_as_it_was_taken(source: Server, copies: list[Server], folder: Path) -> None:
    source.sql("truncate orders; insert into orders values (7)")
    origin = source.backup(folder / "backup" / "base")
    source.sql("truncate orders")
    copies.append(server := Server.restored(folder / "of-backup", BINARIES, ACCOUNT, "shop", origin))
    server.start()
    assert server.sql("select id from orders") == "7"


def test_what_was_committed_outlives_the_end_of_the_process(source: Server) -> None:
    source.sql("truncate orders; insert into orders values (3)")
    source.stop(immediately=True)
    source.start()
    assert source.sql("select id from orders") == "3"


def test_statements_that_fail_say_why(source: Server) -> None:
    with pytest.raises(PostgresError, match='relation "nothing" does not exist'):
        source.sql("select * from nothing")


def test_it_answers_on_loopback_alone(source: Server) -> None:
    assert source.sql("show listen_addresses") == "127.0.0.1"
    assert source.sql("show unix_socket_directories") == ""


def test_no_server_runs_before_somebody_comes_and_the_master_has_the_password_of_the_moment(folder: Path) -> None:
    password = ["first"]
    world = Instances(folder / "lazy", BINARIES, ACCOUNT)
    instance = world.new(Content("shop"), lambda: ("o'master", password[0]))
    try:
        assert not instance.touched
        assert not instance.home.exists()
        for word in ("first", "se'cond"):
            password[0] = word
            assert _count_as("o'master", word, instance.port) == "1"
        with pytest.raises(PostgresError, match="password authentication failed"):
            _count_as("o'master", "first", instance.port)
    finally:
        instance.remove()
    assert not instance.home.exists()


def test_a_snapshot_of_an_instance_that_nobody_has_been_at_is_empty_and_starts_nothing(folder: Path) -> None:
    world = Instances(folder / "untouched", BINARIES, ACCOUNT)
    instance = world.new(Content("shop"), lambda: ("master", "word"))
    try:
        assert world.snapshot(instance) == Content("shop")
        assert world.at(instance, datetime.now(UTC)) == Content("shop")
        assert not instance.home.exists()
    finally:
        instance.remove()


def _count_as(user: str, password: str, port: int) -> str:
    server = Server(Path("/"), BINARIES, ACCOUNT, "shop")
    return server._run("psql", "--no-psqlrc", "--tuples-only", "--no-align", "-h", "127.0.0.1", "-p", str(port),
                       "-U", user, "-d", "shop", environment={"PGPASSWORD": password, "PGSSLMODE": "require"},
                       given="select 1").strip()
