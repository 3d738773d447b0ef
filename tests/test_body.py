"""gateway.body: a request's body, read once, within bounds."""

from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive

from gateway import body, errors
from gateway.exchange import CallerGone
from gateway.headers import Headers

pytestmark = pytest.mark.anyio


def pieces(*messages: bytes | None) -> Receive:
    """A `receive` that gives these pieces; None is a caller that hangs up."""
    left: Iterable[bytes | None] = iter(messages)
    count = len(messages)

    async def receive() -> Message:
        nonlocal count
        count -= 1
        piece = next(iter(left))
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": count > 0}

    return receive


async def read(receive: Receive, headers: Headers | None = None, limit: int = 10) -> bytes:
    return await body.read(receive, headers or {}, limit)


async def test_a_body_in_pieces_is_one_body() -> None:
    assert await read(pieces(b"ab", b"", b"cd")) == b"abcd"


async def test_a_body_of_exactly_the_limit_passes() -> None:
    assert await read(pieces(b"x" * 10), {b"content-length": b"10"}) == b"x" * 10


@pytest.mark.parametrize(
    ("receive", "headers"),
    [
        (pieces(b"x" * 11), {}),
        (pieces(b"x" * 6, b"x" * 5), {}),
        (pieces(b""), {b"content-length": b"11"}),
        (pieces(b"x" * 6, b"x" * 6), {b"content-length": b"2"}),
    ],
    ids=["at once", "in pieces", "by its word", "against its word"],
)
async def test_a_body_over_the_limit_is_refused(receive: Receive, headers: Headers) -> None:
    with pytest.raises(errors.CallError) as refused:
        await read(receive, headers)
    assert refused.value.kind is errors.BODY_TOO_LARGE


async def test_an_encoded_body_is_refused_since_the_token_could_not_be_put_in() -> None:
    with pytest.raises(errors.CallError) as refused:
        await read(pieces(b"x"), {b"content-encoding": b"gzip"})
    assert refused.value.kind is errors.UNSUPPORTED_TYPE
    assert await read(pieces(b"x"), {b"content-encoding": b"identity"}) == b"x"


async def test_a_caller_that_hangs_up_in_its_body_has_no_call() -> None:
    with pytest.raises(CallerGone):
        await read(pieces(b"ab", None))
