"""gateway.errors: the table of own errors, and its page."""

import re
from pathlib import Path

from gateway import errors
from gateway.errors import Problem, SettingsError

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "errors.md"
ROW = re.compile(r"^\| (\d+) \| (\d+) \| `([a-z-]+)` \| `([a-z_]+)` \| .+ \|$", re.MULTILINE)


def test_the_page_lists_every_error_as_it_is() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, errors.ErrorKind)]
    documented = [(int(s), int(c), name, p) for s, c, name, p in ROW.findall(PAGE.read_text())]
    assert sorted(documented) == sorted((k.status, k.code, k.name, k.proxy_status) for k in kinds)


def test_a_problem_reads_as_place_key_and_what_is_wrong() -> None:
    problem = Problem("config.yaml:12", "upstream.timeouts.total", "needs a unit, as in 60s")
    assert str(problem) == "config.yaml:12 upstream.timeouts.total: needs a unit, as in 60s"
    assert str(problem) in str(SettingsError((problem,)))
