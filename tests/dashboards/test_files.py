"""What is committed is what the command makes, and the command says what it lacks."""

from pathlib import Path

from gateway.commands import drawing
from gateway.dashboards import files
from tests.dashboards.drawn import GRAFANA
from tests.e2e.process import run

ROOT = Path(__file__).parents[2]


def test_the_committed_files_are_those_that_the_command_makes(tmp_path: Path) -> None:
    ended = run("dashboards", "--out", str(tmp_path / "made"), directory=tmp_path)

    assert (ended.code, ended.err) == (0, "")
    made = {path.relative_to(tmp_path / "made"): path.read_text() for path in _files(tmp_path / "made")}
    committed = {path.relative_to(GRAFANA): path.read_text() for path in _files(GRAFANA)}
    assert made == committed, "run `gateway dashboards` and commit what it changes"
    assert ended.out.split() == [str(tmp_path / "made" / name) for name in files.contents()]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_alerts_link_to_where_the_pages_are_published() -> None:
    rules = files.contents("https://docs.example.com/runbooks/{name}/")["prometheus/rules/gateway-alerts.yml"]

    assert "runbook_url: https://docs.example.com/runbooks/token-rejected/\n" in rules
    assert "docs/runbooks" not in rules


def test_an_address_without_a_place_for_the_page_is_refused(tmp_path: Path) -> None:
    ended = run("dashboards", "--runbooks", "https://docs.example.com/", directory=tmp_path)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "gateway: --runbooks: {name} is missing, it stands for the page of an alert\n"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_one_plain_line(tmp_path: Path) -> None:
    ended = run("dashboards", directory=tmp_path, environ=_without(drawing.LIBRARY, tmp_path))

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "gateway: the extra `dashboards` is not installed: pip install 'platform-gateway[dashboards]'\n"
    )


def test_another_missing_module_is_not_taken_for_the_extra(tmp_path: Path) -> None:
    ended = run("dashboards", directory=tmp_path, environ=_without("gateway.dashboards.rules.rule", tmp_path))

    assert ended.code == 1
    assert "ModuleNotFoundError" in ended.err


def _without(module: str, folder: Path) -> dict[str, str]:
    """An environment whose Python finds no such module: None in its place is how it notes that itself."""
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules['{module}'] = None\n")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def test_a_folder_that_cannot_be_written_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    ended = run("dashboards", "--out", "taken", directory=tmp_path)

    assert ended.code == 1
    assert ended.err.startswith("gateway: ")
    assert len(ended.err.splitlines()) == 1
