"""gateway.offload: where conversions run."""

import os
import threading
from collections.abc import Iterator

import pytest

from gateway.annex import Annex, TooMuchWorkError
from gateway.offload import AT_ONCE, ELEMENT, UNCOUNTED, VALUE, Offload, cost

pytestmark = pytest.mark.anyio

LARGE = b"x" * (AT_ONCE + 1)


def where(_: bytes) -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def never(_: bytes) -> None:
    threading.Event().wait()


def length(body: bytes, more: int) -> int:
    return len(body) + more


def divide(body: bytes) -> float:
    return len(body) / 0


@pytest.fixture
def offload() -> Iterator[Offload]:
    made = Offload()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"[" * UNCOUNTED, UNCOUNTED, id="small, whatever it is"),
        pytest.param(b"x" * AT_ONCE, AT_ONCE, id="a text"),
        pytest.param(b"x" * UNCOUNTED + b"[,]{}<a/>", UNCOUNTED + 9 + 3 * VALUE, id="values of JSON"),
        pytest.param(b"<x>" + b"y" * UNCOUNTED + b",</x>", UNCOUNTED + 8 + 2 * ELEMENT, id="elements of XML"),
        pytest.param(b" " * UNCOUNTED + b"<x/>", UNCOUNTED + 4 + ELEMENT, id="elements behind blanks"),
        pytest.param(
            b"\xef\xbb\xbf<x/>" + b" " * UNCOUNTED, UNCOUNTED + 7 + ELEMENT, id="elements behind a mark"
        ),
        pytest.param(b"," * (AT_ONCE + 9), AT_ONCE + 9, id="large anyhow"),
    ],
)
def test_what_a_body_costs_is_told_without_a_parser(body: bytes, expected: int) -> None:
    assert cost(body) == expected


async def test_small_bodies_are_read_at_once(offload: Offload) -> None:
    here = where(b"")
    assert await offload.run(where, b"x" * AT_ONCE) == here
    assert await offload.run(where, b"[" * UNCOUNTED) == here


@pytest.mark.parametrize("body", [LARGE, b"<" * (UNCOUNTED + 1)], ids=["in bytes", "in values"])
async def test_large_ones_go_to_another_process(offload: Offload, body: bytes) -> None:
    assert (await offload.run(where, body))[0] != os.getpid()
    assert await offload.run(length, body, 1) == len(body) + 1


async def test_an_error_of_the_work_comes_back_as_it_is(offload: Offload) -> None:
    for body in (b"", LARGE):
        with pytest.raises(ZeroDivisionError):
            await offload.run(divide, body)


async def test_work_aside_leaves_the_loop_but_not_the_process(offload: Offload) -> None:
    process, thread = where(b"")
    used = await offload.aside(True, where, b"")
    assert used[0] == process
    assert used[1] != thread
    assert await offload.aside(False, where, b"") == (process, thread)


async def test_what_is_too_much_work_is_refused_and_the_next_body_is_read() -> None:
    offload = Offload(Annex(patience=0.5))
    try:
        with pytest.raises(TooMuchWorkError, match=r"^it took longer than 0\.5 seconds$"):
            await offload.run(never, LARGE)
    finally:
        offload.close()
