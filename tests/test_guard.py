"""gateway.guard: who may speak to an unauthenticated listener."""

import pytest

from gateway import errors, guard, headers

ALLOWED = frozenset({"localhost", "127.0.0.1", "::1", "gateway.internal"})


def check(*lines: tuple[bytes, bytes], local: str | None = "127.0.0.1") -> None:
    guard.check(headers.pick(lines), local, ALLOWED)


@pytest.mark.parametrize(
    "host",
    [
        b"localhost",
        b"LOCALHOST:8080",
        b"127.0.0.1:8080",
        b"[::1]:8080",
        b"[::1]",
        b"gateway.internal:80",
        b"localhost:",
    ],
)
def test_a_configured_name_is_let_in_on_any_port(host: bytes) -> None:
    check((b"host", host))


def test_the_address_that_the_connection_came_in_on_is_let_in() -> None:
    check((b"host", b"10.1.2.3:8080"), local="10.1.2.3")
    with pytest.raises(errors.CallError):
        check((b"host", b"10.1.2.4:8080"), local="10.1.2.3")


@pytest.mark.parametrize(
    "lines",
    [
        [b""],
        [b"evil.example"],
        [b"evil.example:8080"],
        [b"localhost", b"localhost"],
        [b"localhost", b"evil.example"],
        [b"localhost:80:80"],
        [b"localhost:x"],
        [b"user@localhost"],
        [b"localhost/path"],
        [b"[::1"],
        [b"[::1]x"],
        [b"[::1]80"],
        [b"localhost.evil.example"],
        [b"127.0.0.1.evil.example"],
    ],
    ids=repr,
)
def test_any_other_host_is_refused_also_an_empty_or_doubled_one(lines: list[bytes]) -> None:
    with pytest.raises(errors.CallError) as refused:
        check(*((b"host", value) for value in lines))
    assert refused.value.kind is errors.HOST_REFUSED


def test_a_request_without_a_host_is_told_that_it_is_missing() -> None:
    with pytest.raises(errors.CallError, match="the Host header is missing") as refused:
        check()
    assert refused.value.kind is errors.BAD_REQUEST


def test_on_a_unix_socket_an_empty_host_is_no_address() -> None:
    with pytest.raises(errors.CallError):
        check((b"host", b""), local="")


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", b"http://localhost:8080", b""])
def test_any_origin_is_refused(origin: bytes) -> None:
    with pytest.raises(errors.CallError) as refused:
        check((b"host", b"localhost"), (b"origin", origin))
    assert refused.value.kind is errors.ORIGIN_REFUSED


@pytest.mark.parametrize(
    ("site", "allowed"),
    [
        (b"none", True),
        (b"same-origin", True),
        (b"same-site", False),
        (b"cross-site", False),
        (b"", False),
        (b"none, cross-site", False),
    ],
)
def test_only_the_user_and_the_same_origin_pass_sec_fetch_site(site: bytes, allowed: bool) -> None:
    request = ((b"host", b"localhost"), (b"sec-fetch-site", site))
    if allowed:
        check(*request)
    else:
        with pytest.raises(errors.CallError) as refused:
            check(*request)
        assert refused.value.kind is errors.ORIGIN_REFUSED
