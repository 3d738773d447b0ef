"""The documentation as a site: it builds without a warning, is complete, and loads nothing from elsewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.tools import tool

ROOT = Path(__file__).parents[2]
LOADS = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^\"'> ]+")


@pytest.mark.full
def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [tool("mkdocs", "PyPI: mkdocs-material"), "build", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert built.returncode == 0, built.stderr
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (tmp_path / name.with_name(name.name.replace("README", "index"))).exists()
    loaded = {found for page in tmp_path.rglob("*.html") for found in LOADS.findall(page.read_text("utf-8"))}
    assert {found for found in loaded if 'rel="canonical"' not in found} == set()


def test_every_page_is_in_the_navigation_or_reached_from_one_that_is() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    assert [str(page) for page in pages if str(page) not in navigation and page.parts[0] != "runbooks"] == []
