"""The locks: hashes for everything, addresses for nothing."""

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
    assert {"starlette", "httpx", "uvicorn", "lxml", "msgspec"} <= {line.split("==")[0] for line in packages}
    assert all(line.endswith("\\") for line in packages), "every package line goes on with its hashes"
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_no_lock_of_a_kind_that_holds_addresses_is_in_the_tree() -> None:
    assert not (ROOT / "pylock.toml").exists()
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()
