"""config.yaml as it is shipped: valid, complete, and saying the defaults that the gateway has."""

from pathlib import Path

from gateway.settings import document
from gateway.settings.loading import read
from gateway.settings.model import Settings
from gateway.settings.notices import notices
from gateway.settings.structure import dotted, keys_of, section_of

FILE = Path(__file__).parents[2] / "config.yaml"

# Written as comments in the file: only one alternative of these can be there.
ALTERNATIVES = ("listen.uds", "token.file", "token.vault")


def test_it_loads_without_a_word_and_is_all_defaults() -> None:
    configuration = read(FILE, {})
    assert configuration.settings == Settings()
    assert notices(configuration) == ()


def test_every_key_is_in_it() -> None:
    written = document.read(FILE).lines
    for path, hint in keys_of(Settings):
        if section_of(hint) is None and not dotted(path).startswith(ALTERNATIVES):
            assert path in written


def test_the_alternatives_are_in_its_comments() -> None:
    text = FILE.read_text("utf-8")
    for key in ALTERNATIVES:
        assert f"# {key.partition('.')[2]}: " in text


def test_its_first_line_tells_editors_the_schema() -> None:
    first = FILE.read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./config.schema.json"
    assert (FILE.parent / "config.schema.json").is_file()
