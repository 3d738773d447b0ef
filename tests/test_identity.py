"""gateway.identity: which ids callers may send, and how new ones look."""

import pytest

from gateway import errors, identity


def key(**sent: bytes) -> str | None:
    return identity.caller_key({name.replace("_", "-").encode(): value for name, value in sent.items()})


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, None),
        ({"request_id": b"abc-123"}, "abc-123"),
        ({"idempotency_key": b"abc"}, "abc"),
        ({"idempotency_key": b'"abc"'}, "abc"),
        ({"request_id": b"abc", "idempotency_key": b'"abc"'}, "abc"),
        ({"request_id": b"!#$%&'()*+-./:;<=>?@[\\]^_`{|}~"}, "!#$%&'()*+-./:;<=>?@[\\]^_`{|}~"),
        ({"request_id": b"x" * 128}, "x" * 128),
    ],
    ids=repr,
)
def test_a_well_formed_key_is_taken(sent: dict[str, bytes], expected: str | None) -> None:
    assert key(**sent) == expected


@pytest.mark.parametrize(
    "sent",
    [
        {"request_id": b""},
        {"request_id": b"x" * 129},
        {"request_id": b"a b"},
        {"request_id": b"a, b"},
        {"request_id": b"a,b"},
        {"request_id": b'"abc"'},
        {"request_id": b"a\r\nInjected: 1"},
        {"request_id": b"a\x00"},
        {"request_id": "ключ".encode()},
        {"request_id": b"\xff"},
        {"idempotency_key": b'"'},
        {"idempotency_key": b'""'},
        {"idempotency_key": b'"a'},
        {"request_id": b"a", "idempotency_key": b"b"},
    ],
    ids=repr,
)
def test_a_key_that_could_harm_a_head_or_a_log_is_refused(sent: dict[str, bytes]) -> None:
    with pytest.raises(errors.CallError) as refused:
        key(**sent)
    assert refused.value.kind is errors.BAD_REQUEST


def test_new_ids_sort_by_time_and_are_keys_themselves() -> None:
    times = iter([1.0, 1.001, 1700000000.5])
    make = identity.id_maker(lambda: next(times), lambda size: b"\xff" * size)
    made = [make() for _ in range(3)]
    assert made == sorted(made)
    assert made[0] == "0000000003e8" + "f" * 20
    assert key(request_id=made[2].encode()) == made[2]


def test_ids_of_one_moment_differ_by_chance() -> None:
    chances = iter([b"\x00" * 10, b"\x01" * 10])
    make = identity.id_maker(lambda: 5.0, lambda _: next(chances))
    assert make() != make()
