"""Any bytes at all, sent to a whole gateway over a socket: an answer in the platform's shape, a process that
goes on, and a platform that never sees a caller's token, nor a body that it would read otherwise than the
gateway did."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.catalogue.model import Catalogue
from tests.e2e.answering import Answering, answering
from tests.e2e.caller import JSON, XML, Caller, Reply
from tests.e2e.conftest import ENVIRON, TOKEN, catalogue, settings_for
from tests.e2e.inthread import running_gateway
from tests.fuzz import oracle
from tests.fuzz.spellings import JSON_BODIES, broken, respelt, xml_body

__all__ = ["catalogue"]

SHARED = [HealthCheck.function_scoped_fixture]
IDS = count()
# What a caller may put into a line of its head, and what it may not.
VALUES = st.sampled_from(
    [
        b"",
        b"a",
        b"a b",
        b"a,b",
        b'"a"',
        b"\x00",
        b"\x7f",
        b"\xff",
        b"a\tb",
        b"\xc3\xa9",
        b"a" * 300,
        b";q=",
        b"*/*",
    ]
) | st.binary(max_size=12).filter(lambda value: not set(value) & set(b"\r\n"))
HEADS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"Request-ID",
                b"Idempotency-Key",
                b"Accept",
                b"Cache-Control",
                b"Gateway-Caller",
                b"Token",
                b"Authorization",
                b"traceparent",
                b"Content-Encoding",
                b"X-Any",
                b"Cookie",
            ]
        ),
        VALUES,
    ),
    max_size=4,
)
TARGETS = st.sampled_from(
    [b"profiles/import", b"profiles/get", b"profiles/get/", b"a/b", b"../x", b"%2e", b"a//b"]
)
QUERIES = st.sampled_from(
    [b"", b"?token=x", b"?a=1&format=xml", b"?%74oken=x;TOKEN=y", b"?format=csv", b"?%ff=\xff"]
)


@pytest.fixture(scope="module")
def platform() -> Iterator[Answering]:
    with answering() as made:
        yield made


@pytest.fixture(scope="module")
def caller(platform: Answering, catalogue: Catalogue) -> Iterator[Caller]:
    settings_of = settings_for(platform.base_url, dedup={"enabled": True})
    with running_gateway(settings_of, ENVIRON, catalogue) as gateway:
        yield gateway.caller


def assert_in_shape(reply: Reply) -> None:
    assert reply.status in (200, 400, 403, 405, 408, 413, 415, 422, 431, 501), reply
    assert isinstance(reply.error, int)
    assert isinstance(reply.error_text, str)


def assert_forwarded_as_meant(platform: Answering, meaning: oracle.Meaning) -> None:
    for body in platform.got:
        assert oracle.tokens(body) == [TOKEN]
        assert without_format(oracle.call_meaning(body)) == without_format(meaning)
    for head in platform.heads:
        assert "token" not in head.lower()


def without_format(meaning: oracle.Meaning) -> oracle.Meaning:
    """`format` is the gateway's to answer where it is json or xml."""
    return [member for member in meaning if member[0] != "format"]


def forget(platform: Answering) -> None:
    platform.got.clear()
    platform.heads.clear()


@settings(max_examples=200, suppress_health_check=SHARED)
@given(body=JSON_BODIES | broken(JSON_BODIES))
def test_any_json(caller: Caller, platform: Answering, body: bytes) -> None:
    forget(platform)
    reply = caller.call("profiles/import", body, ("Request-ID", f"json-{next(IDS)}"))
    assert_in_shape(reply)
    if platform.got:
        assert_forwarded_as_meant(platform, oracle.call_meaning(body))
    else:
        assert reply.status == 400


@settings(max_examples=200, suppress_health_check=SHARED)
@given(body=xml_body() | broken(xml_body()))
def test_any_xml(caller: Caller, platform: Answering, body: bytes) -> None:
    forget(platform)
    reply = caller.call("profiles/import", body, ("Request-ID", f"xml-{next(IDS)}"), content_type=XML)
    assert_in_shape(reply)
    for sent in platform.got:
        assert oracle.is_xml(body)
        assert oracle.tokens(sent) == [TOKEN]
    assert platform.got or reply.status == 400


@settings(max_examples=200, suppress_health_check=SHARED)
@given(pair=respelt())
def test_two_bodies_under_one_key_are_one_call_only_when_they_mean_the_same(
    caller: Caller, platform: Answering, pair: tuple[bytes, bytes]
) -> None:
    forget(platform)
    key = ("Request-ID", f"pair-{next(IDS)}")
    first, second = (caller.call("profiles/import", body, key) for body in pair)
    assert_in_shape(second)
    if first.status == 200 and second.status == 200:
        one, other = (without_format(oracle.call_meaning(body)) for body in pair)
        assert one == other
        assert len(platform.got) == 1


@settings(max_examples=200, suppress_health_check=SHARED)
@given(
    target=TARGETS,
    query=QUERIES,
    lines=HEADS,
    body=JSON_BODIES | st.binary(max_size=20),
    of=st.sampled_from([JSON, XML, "text/plain"]),
)
def test_any_head(
    caller: Caller,
    platform: Answering,
    target: bytes,
    query: bytes,
    lines: list[tuple[bytes, bytes]],
    body: bytes,
    of: str,
) -> None:
    forget(platform)
    head = b"".join(b"%b: %b\r\n" % line for line in lines)
    start = b"POST /api/v1.1/%b%b HTTP/1.1\r\nHost: localhost\r\n" % (target, query)
    lines_of_body = b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n" % (of.encode(), len(body))
    reply = caller.exchange(start + head + lines_of_body + body)
    assert_in_shape(reply)
    for sent in platform.got:
        assert oracle.tokens(sent) == [TOKEN]
    for seen in platform.heads:
        assert "token" not in seen.lower()
        assert "cookie" not in seen.lower()
    assert caller.get("/livez").status == 200
