"""The wheel: installed into an empty environment, it is a gateway that works, data and types included."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.process import running

ROOT = Path(__file__).parents[2]
INSTALL = ("-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check")


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    interpreter = folder / "bin" / "python"
    run(str(interpreter), *INSTALL, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    run(str(interpreter), *INSTALL, "--no-deps", str(wheel))
    return interpreter


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "gateway"], capture_output=True, text=True, check=True
    ).stdout.split()
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in tracked if name not in inside] == []
    assert "gateway/py.typed" in inside


@pytest.mark.full
@pytest.mark.timeout(400)
def test_its_demo_answers_a_call(python: Path, tmp_path: Path) -> None:
    command = (str(python), "-m", "gateway")
    with running(tmp_path, "demo", "--port", "0", environ={}, command=command) as demo:
        reply = demo.caller.json("profiles/get", db_id=1, email="customer1@example.com")
        assert reply.json()["error"] == 0
        assert demo.caller.get("/-/").status == 200
