import contextlib

import pytest

from gateway.catalogue.shape import ANY, OBJECT, Kind, Shape
from gateway.codec import reply
from gateway.codec.body import BodyLimits, MalformedBodyError

LIMITS = BodyLimits(depth=64, elements=2_000_000)


@pytest.mark.parametrize("shape", [ANY, OBJECT, Shape(Kind.OBJECT, {"error": Shape(Kind.STRING)})])
def test_the_code_is_a_number_in_json_whatever_the_catalogue_says(shape: Shape) -> None:
    body = b"<xml><error>404</error><error_text>404</error_text></xml>"

    assert reply.to_json(body, shape, LIMITS) == b'{"error":404,"error_text":"404"}'


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"a":"\xff"}', b"a;b;c\n1;2;3", b'{"a":'])
def test_a_reply_that_is_not_json_is_not_converted(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        reply.to_xml(body, OBJECT)


def tower(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_a_reply_as_deep_as_the_platform_ever_sends_is_converted() -> None:
    assert reply.to_xml(tower(100), OBJECT) == b"<xml>" + b"<a>" * 100 + b"1" + b"</a>" * 100 + b"</xml>"


@pytest.mark.parametrize("levels", range(300, 1200, 50))
def test_a_reply_too_deep_for_the_stack_is_refused_and_nothing_worse(levels: int) -> None:
    """Which depth that is depends on the stack at hand: this passes every place where it could end."""
    with contextlib.suppress(MalformedBodyError):
        assert reply.to_xml(tower(levels), OBJECT).count(b"<a>") == levels


def test_a_reply_deeper_than_any_stack_is_refused() -> None:
    with pytest.raises(MalformedBodyError, match=r"nested too deep$"):
        reply.to_xml(tower(100_000), OBJECT)


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml>", b"<!DOCTYPE html><html/>"])
def test_a_reply_that_is_not_xml_is_not_converted(body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        reply.to_json(body, OBJECT, LIMITS)
