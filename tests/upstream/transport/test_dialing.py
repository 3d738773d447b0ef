"""Connections that do not come about: nothing was written, and the error says why. And TLS."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import trustme

from gateway.upstream.builtin.dialing import open_first
from gateway.upstream.failures import kind_of, was_written
from gateway.upstream.tls import build_context
from gateway.upstream.transports import TransportName
from tests.upstream.transport.calls import body_of, post, state, transport
from tests.upstream.transport.peer import OK, Peer, Talk, echo, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port at which connections are neither taken nor refused: its queue is full."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        port = sock.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in waiting:
            one.close()


async def failing(kind: TransportName, url: str, **options: object) -> httpx.TransportError:
    """The error of a call to `url`, which must have written nothing and left nothing."""
    async with transport(kind, **options) as over:
        with pytest.raises(httpx.TransportError) as caught:
            await post(over, url)
        assert not was_written(caught.value)
        assert state(over) == (0, 0, 0)
    return caught.value


async def test_a_refused_connection(kind: TransportName, refusing: int) -> None:
    error = await failing(kind, f"http://127.0.0.1:{refusing}/")
    assert (type(error), kind_of(error)) == (httpx.ConnectError, "connect")


async def test_a_name_that_does_not_exist(kind: TransportName) -> None:
    error = await failing(kind, "http://nowhere.invalid/")  # RFC 2606: never in the DNS
    assert (type(error), kind_of(error)) == (httpx.ConnectError, "connect")


async def test_a_connection_that_takes_too_long(kind: TransportName, black_hole: int) -> None:
    error = await failing(kind, f"http://127.0.0.1:{black_hole}/", connect_timeout=0.05)
    assert (type(error), kind_of(error)) == (httpx.ConnectTimeout, "timeout")


async def test_the_deadline_ends_connecting_too(black_hole: int) -> None:
    loop = asyncio.get_running_loop()
    async with transport("builtin") as over:
        with pytest.raises(httpx.ConnectTimeout):
            await post(over, f"http://127.0.0.1:{black_hole}/", deadline=loop.time() + 0.05)
        assert state(over) == (0, 0, 0)


async def test_a_call_may_have_a_connect_timeout_of_its_own(kind: TransportName, black_hole: int) -> None:
    async with transport(kind) as over:
        with pytest.raises(httpx.ConnectTimeout):
            await post(over, f"http://127.0.0.1:{black_hole}/", timeout={"connect": 0.05})


async def test_a_scheme_that_is_not_http(kind: TransportName) -> None:
    error = await failing(kind, "ftp://127.0.0.1/")
    assert (type(error), kind_of(error)) == (httpx.UnsupportedProtocol, "connect")


async def test_addresses_are_tried_in_order_until_one_answers(refusing: int) -> None:
    async with serving(echo) as first, serving(echo) as second:
        ports = [httpx.URL(peer.url).port for peer in (first, second)]
        addresses = [(socket.AF_INET, ("127.0.0.1", port)) for port in (refusing, *ports)]
        with await open_first(addresses, within=10) as sock:
            assert sock.getpeername() == ("127.0.0.1", ports[0])


async def test_an_address_that_does_not_answer_leaves_time_for_the_next(black_hole: int) -> None:
    async with serving(echo) as peer:
        port = httpx.URL(peer.url).port
        addresses = [(socket.AF_INET, ("127.0.0.1", number)) for number in (black_hole, port)]
        with await open_first(addresses, within=0.2) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)


async def test_when_no_address_answers_the_last_one_says_why(refusing: int) -> None:
    missing = (socket.AF_UNIX, "/nowhere/platform.sock")
    with pytest.raises(httpx.ConnectError, match=str(refusing)):
        await open_first([missing, (socket.AF_INET, ("127.0.0.1", refusing))], within=10)


async def test_a_name_with_several_addresses_is_called_by_the_one_that_answers(kind: TransportName) -> None:
    """localhost is ::1 and 127.0.0.1 where IPv6 is on, and the peer listens on the second only."""
    async with serving(echo, host="localhost") as peer, transport(kind) as over:
        assert body_of(await post(over, peer.url, b"here")) == b"here"


async def test_a_unix_socket_carries_the_calls(kind: TransportName, tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sock")
    async with serving(echo, uds=path) as peer, transport(kind, uds=path) as over:
        assert body_of(await post(over, peer.url, b"here")) == b"here"
        assert peer.requests[0].header("host") == ["platform.test"]
        assert state(over) == (0, 1, 0)


async def test_a_unix_socket_that_is_not_there(kind: TransportName, tmp_path: Path) -> None:
    error = await failing(kind, "http://platform.test/", uds=str(tmp_path / "missing.sock"))
    assert (type(error), kind_of(error)) == (httpx.ConnectError, "connect")


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serves(
    authority: trustme.CA, name: str = "localhost", not_after: datetime | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(name, not_after=not_after).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


async def failing_tls(kind: TransportName, peer: Peer, context: ssl.SSLContext) -> None:
    error = await failing(kind, peer.url, ssl_context=context)
    assert (type(error), kind_of(error)) == (httpx.ConnectError, "tls")
    assert peer.requests == []


async def test_a_call_over_tls(kind: TransportName, authority: trustme.CA, ca_file: str) -> None:
    """The name goes into SNI, and nothing but HTTP/1.1 is offered."""
    said: list[tuple[str | None, str | None]] = []
    context = serves(authority)
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, context: names.append(name)

    async def noting(talk: Talk) -> None:
        said.append((names[-1], talk.tls().selected_alpn_protocol()))
        await echo(talk)

    ours = build_context(ca_file=ca_file)
    async with (
        serving(noting, tls=context, host="localhost") as peer,
        transport(kind, ssl_context=ours) as over,
    ):
        body = b"a" * 1_000_000
        assert body_of(await post(over, peer.url, body)) == body
        assert body_of(await post(over, peer.url, b"again")) == b"again"
        assert said == [("localhost", "http/1.1")]
        assert state(over) == (0, 1, 0)


async def test_a_certificate_of_another_name(
    kind: TransportName, authority: trustme.CA, ca_file: str
) -> None:
    context = serves(authority, "elsewhere.test")
    async with serving(echo, tls=context, host="localhost") as peer:
        await failing_tls(kind, peer, build_context(ca_file=ca_file))


async def test_an_expired_certificate(kind: TransportName, authority: trustme.CA, ca_file: str) -> None:
    context = serves(authority, not_after=datetime.now(UTC) - timedelta(days=1))
    async with serving(echo, tls=context, host="localhost") as peer:
        await failing_tls(kind, peer, build_context(ca_file=ca_file))


async def test_an_unknown_authority(kind: TransportName, authority: trustme.CA) -> None:
    async with serving(echo, tls=serves(authority), host="localhost") as peer:
        await failing_tls(kind, peer, build_context())


async def test_a_peer_that_does_not_speak_tls(kind: TransportName, ca_file: str) -> None:
    async def plain(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await talk.stall()

    async with serving(plain, host="localhost") as peer:
        peer.url = peer.url.replace("http://", "https://")
        await failing_tls(kind, peer, build_context(ca_file=ca_file))


async def test_a_peer_that_hangs_up_in_the_handshake(kind: TransportName, ca_file: str) -> None:
    async def hang_up(talk: Talk) -> None:
        await talk.read(1)

    async with serving(hang_up, host="localhost") as peer:
        peer.url = peer.url.replace("http://", "https://")
        error = await failing(kind, peer.url, ssl_context=build_context(ca_file=ca_file))
        assert type(error) is httpx.ConnectError


async def test_unverified_tls_takes_any_certificate(kind: TransportName, authority: trustme.CA) -> None:
    context = serves(authority, "elsewhere.test", not_after=datetime.now(UTC) - timedelta(days=1))
    ours = build_context(verify=False)
    async with (
        serving(echo, tls=context, host="localhost") as peer,
        transport(kind, ssl_context=ours) as over,
    ):
        assert body_of(await post(over, peer.url, b"here")) == b"here"


async def test_the_client_shows_its_certificate(
    kind: TransportName, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = serves(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    pair = authority.issue_cert("gateway@client.test")
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    pair.cert_chain_pems[0].write_to_path(cert)
    pair.private_key_pem.write_to_path(key)
    ours = build_context(ca_file=ca_file, client_cert=str(cert), client_key=str(key))
    async with (
        serving(echo, tls=context, host="localhost") as peer,
        transport(kind, ssl_context=ours) as over,
    ):
        assert body_of(await post(over, peer.url, b"here")) == b"here"


def refuse_client(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Takes one connection and refuses its client by an alert, which asyncio's own servers do not send."""
    raw, _ = listener.accept()
    with context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as sock:
        sock.settimeout(10)
        with pytest.raises(ssl.SSLError):
            sock.do_handshake()
        # Below TLS, until the client closes: a close with unread bytes would send a RST after the alert.
        with contextlib.suppress(ConnectionError):
            while socket.socket.recv(sock, 65536):
                pass


async def test_a_client_without_the_certificate_that_is_asked_for(
    authority: trustme.CA, ca_file: str
) -> None:
    """In TLS 1.3 the refusal comes when the client has already begun to send, so it counts as written."""
    context = serves(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ours = build_context(ca_file=ca_file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = asyncio.create_task(asyncio.to_thread(refuse_client, listener, context))
        async with transport("builtin", ssl_context=ours) as over:
            with pytest.raises(httpx.ReadError) as caught:
                await post(over, f"https://localhost:{listener.getsockname()[1]}/")
            assert (kind_of(caught.value), was_written(caught.value)) == ("tls", True)
            assert state(over) == (0, 0, 0)
        await refusing


async def test_a_reply_without_framing_that_is_cut_below_tls_is_no_whole_reply(
    authority: trustme.CA, ca_file: str
) -> None:
    """Only TLS's own goodbye says that the peer ended it; anybody on the way can end the TCP connection."""

    async def cut(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of")
        talk.cut()

    ours = build_context(ca_file=ca_file)
    async with (
        serving(cut, tls=serves(authority), host="localhost") as peer,
        transport("builtin", ssl_context=ours) as over,
    ):
        with pytest.raises(httpx.TransportError) as caught:
            await post(over, peer.url)
        assert (kind_of(caught.value), was_written(caught.value)) == ("reset", True)
        assert state(over) == (0, 0, 0)


async def test_a_reply_without_framing_that_the_peer_ends_over_tls_is_whole(
    authority: trustme.CA, ca_file: str
) -> None:
    async def end(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    ours = build_context(ca_file=ca_file)
    async with (
        serving(end, tls=serves(authority), host="localhost") as peer,
        transport("builtin", ssl_context=ours) as over,
    ):
        assert body_of(await post(over, peer.url)) == b"all of it"


async def test_a_modifying_call_over_tls_finds_a_closed_connection_in_time(
    authority: trustme.CA, ca_file: str
) -> None:
    """httpx's own does not: the end may have come with the reply, into a buffer where it does not look."""

    async def once(talk: Talk) -> None:
        await talk.request()
        await talk.send(OK)

    ours = build_context(ca_file=ca_file)
    async with (
        serving(once, tls=serves(authority), host="localhost") as peer,
        transport("builtin", ssl_context=ours) as over,
    ):
        for _ in range(3):
            assert body_of(await post(over, peer.url)) == b"ok"
            await peer.until_open(0)
        assert (len(peer.requests), peer.connections) == (3, 3)
