"""The names of everything in Redis: under the prefix, and nothing of what they stand for in them."""

import pytest

from gateway.stores.redis.keys import Keys

PREFIX = "gateway:"


@pytest.fixture
def keys() -> Keys:
    return Keys(PREFIX)


def test_names_begin_with_the_prefix_and_tell_kinds_apart(keys: Keys) -> None:
    names = [
        keys.entry(b"jim"),
        keys.generation("jim"),
        keys.hold("jim"),
        keys.flight(b"jim"),
        keys.end("jim"),
        keys.bucket("jim"),
        keys.alive("jim"),
        keys.channel("jim"),
    ]
    assert all(name.startswith(PREFIX.encode()) for name in names)
    assert len({name.split(b":")[1] for name in names}) == len(names)


def test_names_of_what_callers_send_show_nothing_of_it(keys: Keys) -> None:
    said = "jim@example.com"
    shown = [keys.entry(said.encode()), keys.generation(said), keys.flight(said.encode()), keys.end(said)]
    assert all(said.encode() not in name for name in shown)


def test_names_of_generations_are_equally_long(keys: Keys) -> None:
    assert len({len(keys.generation("x" * length)) for length in (0, 1, 10, 1000)}) == 1


def test_the_same_is_named_the_same_by_all_gateways_however_many_tags_there_are(keys: Keys) -> None:
    first = keys.generation("db:1")
    for number in range(20_000):
        keys.generation(f"db:{number}")
    assert keys.generation("db:1") == first == Keys(PREFIX).generation("db:1")


def test_what_has_a_meaning_in_patterns_is_taken_literally_in_a_prefix() -> None:
    assert Keys("gateway:").every_entry == b"gateway:c1:*"
    assert Keys("a*b?[c]\\:").every_entry == rb"a\*b\?\[c\]\\:c1:*"
