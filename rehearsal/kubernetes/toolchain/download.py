"""Official release downloads, checked against the published SHA-256."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx

from rehearsal.kubernetes.toolchain.cache import filling, require_space
from rehearsal.kubernetes.toolchain.errors import Unavailable
from rehearsal.kubernetes.toolchain.versions import ETCD, HELM, KUBERNETES, SERVERS, Platform

KUBERNETES_URL = "https://dl.k8s.io/{version}/bin/{os}/{arch}/{name}"
ETCD_URL = "https://github.com/etcd-io/etcd/releases/download/{version}/{file}"
HELM_URL = "https://get.helm.sh/helm-{version}-{platform}.tar.gz"
# Seconds for connecting and between two chunks: an unreachable host must not hold up the build that follows.
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


def servers(folder: Path, platform: Platform, report: Callable[[str], None]) -> None:
    """The three server binaries into `folder`. Raises Unavailable."""
    if platform.os != "linux":
        raise Unavailable(f"Kubernetes publishes no server binaries for {platform.os}")
    require_space(folder.parent, 1)
    with filling(folder) as temporary, _client() as client:
        for name in SERVERS:
            url = KUBERNETES_URL.format(version=KUBERNETES, os=platform.os, arch=platform.arch, name=name)
            expected = _get(client, f"{url}.sha256").decode().split()[0]
            report(f"downloading {url}")
            _write(temporary / name, _checked(_get(client, url), expected, url))


def etcd(folder: Path, platform: Platform, report: Callable[[str], None]) -> None:
    """The etcd binary into `folder`. Raises Unavailable."""
    suffix = "zip" if platform.os == "darwin" else "tar.gz"
    stem = f"etcd-{ETCD}-{platform}"
    file = f"{stem}.{suffix}"
    require_space(folder.parent, 0.3)
    with filling(folder) as temporary:
        archived(temporary / "etcd", ETCD_URL.format(version=ETCD, file=file),
                 ETCD_URL.format(version=ETCD, file="SHA256SUMS"), f"{stem}/etcd", report)


def helm(folder: Path, platform: Platform, report: Callable[[str], None]) -> None:
    """The helm binary into `folder`. Raises Unavailable."""
    url = HELM_URL.format(version=HELM, platform=platform)
    require_space(folder.parent, 0.2)
    with filling(folder) as temporary:
        archived(temporary / "helm", url, f"{url}.sha256sum", f"{platform}/helm", report)


def archived(binary: Path, url: str, sums_url: str, member: str, report: Callable[[str], None]) -> None:
    """One file of a release's archive, which `sums_url` lists. Raises Unavailable."""
    file = url.rpartition("/")[2]
    with _client() as client:
        sums = _get(client, sums_url).decode()
        expected = next((line.split()[0] for line in sums.splitlines() if line.split()[-1:] == [file]), None)
        if expected is None:
            raise Unavailable(f"{sums_url} has no {file}")
        report(f"downloading {url}")
        content = _checked(_get(client, url), expected, url)
    _write(binary, _member(content, member, "zip" if file.endswith(".zip") else "tar.gz"))


def _client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT, follow_redirects=True)


def _get(client: httpx.Client, url: str) -> bytes:
    try:
        response = client.get(url)
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"{url}: {error or type(error).__name__}") from error
    return response.content


def _checked(content: bytes, expected: str, url: str) -> bytes:
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise Unavailable(f"{url}: SHA-256 is {actual}, published is {expected}; not used")
    return content


def _member(archive: bytes, name: str, suffix: str) -> bytes:
    if suffix == "zip":
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(name)
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened_tar:
        file = opened_tar.extractfile(name)
        if file is None:
            raise Unavailable(f"the archive has no {name}")
        return file.read()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)
