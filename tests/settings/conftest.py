"""A configuration from text, as an operator would write it, and an environment."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings.loading import Configuration, read

Configure = Callable[..., Configuration]
Refuse = Callable[..., list[str]]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """`configure(text, NAME="value", …)` is the configuration; messages call the file config.yaml."""
    monkeypatch.chdir(tmp_path)

    def configure(text: str, **environ: str) -> Configuration:
        Path("config.yaml").write_text(textwrap.dedent(text), "utf-8")
        return read(Path("config.yaml"), environ)

    return configure


@pytest.fixture
def refuse(configure: Configure) -> Refuse:
    """`refuse(text, NAME="value", …)` is every problem, as the line that is printed."""

    def refuse(text: str, **environ: str) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            configure(text, **environ)
        return [str(problem) for problem in caught.value.problems]

    return refuse
