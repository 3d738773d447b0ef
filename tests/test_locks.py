"""The locks: hashes for everything, addresses for nothing."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "name",
    ["requirements.lock", "requirements-dev.lock", "requirements-full.lock", "requirements-image.lock"],
)
def test_a_lock_has_a_hash_for_every_package_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = [line for line in text.splitlines() if line and line[0].isalnum()]
    assert {"starlette", "httpx", "uvicorn", "msgspec"} <= {line.split("==")[0] for line in packages}
    assert all(line.endswith("\\") for line in packages), "every package line goes on with its hashes"
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_no_lock_of_a_kind_that_holds_addresses_is_in_the_tree() -> None:
    assert not (ROOT / "pylock.toml").exists()
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()


# Written in two parts, so that this file names none either.
HOSTS = tuple(
    f"{left}{right}"
    for left, right in (
        ("pypi.", "org"),
        ("pytho", "nhosted"),
        ("registry.", "npmjs"),
        ("docker", ".io"),
        ("ghc", "r.io"),
        ("qua", "y.io"),
        ("deb.", "debian"),
        ("repo1.", "maven"),
        ("proxy.", "golang"),
        ("index-url", "=http"),
        ("index_url", " = http"),
    )
)


def test_no_file_names_a_registry_or_a_mirror() -> None:
    """Where packages come from is the affair of the machine that installs them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git tree")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert files
    found = [
        (str(path.relative_to(ROOT)), host)
        for path in files
        if path.is_file()
        for host in HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert not found
