"""`make sbom`: what the image is made of, as CycloneDX; and the workflow that looks at it."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.tools import tool

ROOT = Path(__file__).parents[2]


def locked(lock: str) -> set[tuple[str, str]]:
    lines = (ROOT / lock).read_text().splitlines()
    pairs = (line.split(" ")[0].split("==") for line in lines if line[:1].isalnum())
    return {(name.split("[")[0], version) for name, version in pairs}


@pytest.mark.full
def test_it_lists_every_package_of_the_image_with_its_hashes(tmp_path: Path) -> None:
    tool("cyclonedx-py", "make setup-full")
    out = tmp_path / "sbom.json"
    # Set up it is, or this test did not run.
    command = ["make", "-s", "-o", "setup-full", "sbom", f"SBOM={out}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    bill = json.loads(out.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "platform-gateway"
    assert {(one["name"], one["version"]) for one in bill["components"]} == locked("requirements-image.lock")
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])


def test_the_workflow_looks_at_locks_that_are_there() -> None:
    workflow = yaml.safe_load((ROOT / "deploy" / "ci" / "audit.yml").read_text())
    locks = workflow["jobs"]["audit"]["strategy"]["matrix"]["lock"]
    assert "requirements-image.lock" in locks
    assert all((ROOT / lock).is_file() for lock in locks)
    runs = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert any(run.startswith("pip-audit --require-hashes") for run in runs)
    assert "make sbom" in runs
