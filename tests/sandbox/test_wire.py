"""Every fault over a real socket, read without an HTTP client: what is on the wire is what counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from gateway.sandbox.calls import Fate
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The gateway's demo runs the sandbox on uvloop, whose transports are not asyncio's."""
    return "asyncio", {"use_uvloop": request.param}


BODY = b'{"token":"sandbox","id":1}'


def request(api_method: bytes = b"databases/get", body: bytes = BODY) -> bytes:
    return (
        b"POST /api/v1.1/%s HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\nRequest-ID: r1\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (api_method, len(body), body)
    )


@pytest.fixture
async def port(sandbox: Sandbox) -> AsyncIterator[int]:
    async with running(sandbox) as base_url:
        yield int(base_url.split(":")[2].split("/")[0])


async def exchange(port: int, sent: bytes | None = None) -> bytes:
    """All that comes back until the connection is closed; `ConnectionResetError` when it is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent or request())
        return await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()


async def test_without_a_fault_the_answer_is_whole(port: int) -> None:
    head, body = (await exchange(port)).split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert body.startswith(b'{"error":0,')


@pytest.mark.parametrize(
    ("when", "fate"), [(When.BEFORE, Fate.DROPPED), (When.AFTER, Fate.EXECUTED)], ids=["before", "after"]
)
async def test_a_reset_connection(sandbox: Sandbox, port: int, when: When, fate: Fate) -> None:
    sandbox.faults.add(Fault(Kind.RESET, when=when))
    with pytest.raises(ConnectionResetError):
        await exchange(port)
    assert [call.fate for call in sandbox.calls] == [fate]


async def test_a_refused_connection_is_cut_before_anything_is_read(sandbox: Sandbox, port: int) -> None:
    sandbox.faults.add(Fault(Kind.REFUSE))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert len(sandbox.calls) == 0
    assert (await exchange(port)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("when", When)
async def test_a_front_servers_page(sandbox: Sandbox, port: int, when: When) -> None:
    sandbox.faults.add(Fault(Kind.HTML, when=when, status=504))
    got = await exchange(port)
    assert got.startswith(b"HTTP/1.1 504 ")
    assert b"content-type: text/html\r\n" in got
    assert got.endswith(b"</html>\r\n")


async def test_garbage(sandbox: Sandbox, port: int) -> None:
    sandbox.faults.add(Fault(Kind.GARBAGE))
    assert await exchange(port) == b"\x16\x03\x01 this is not HTTP\r\n\r\n"


@pytest.mark.parametrize(("kind", "difference"), [(Kind.TOO_SHORT, 64), (Kind.TOO_LONG, -8)])
async def test_a_wrong_length(sandbox: Sandbox, port: int, kind: Kind, difference: int) -> None:
    sandbox.faults.add(Fault(kind))
    head, body = (await exchange(port)).split(b"\r\n\r\n")
    assert f"content-length: {len(body) + difference}".encode() in head.split(b"\r\n")
    assert [call.fate for call in sandbox.calls] == [Fate.EXECUTED]


async def test_an_error_instead_of_the_method(sandbox: Sandbox, port: int) -> None:
    sandbox.faults.add(Fault(Kind.ERROR, code=402))
    got = await exchange(port)
    assert got.startswith(b"HTTP/1.1 200")
    assert b'{"error":402,' in got
    assert [(call.fate, call.code) for call in sandbox.calls] == [(Fate.DROPPED, 402)]


async def test_a_slow_answer_is_only_late(sandbox: Sandbox, port: int) -> None:
    sandbox.faults.add(Fault(Kind.SLOW, ms=30))
    started = asyncio.get_running_loop().time()
    assert b'{"error":0,' in await exchange(port)
    assert asyncio.get_running_loop().time() - started >= 0.03


async def test_a_stalled_call_goes_on_when_it_is_released(sandbox: Sandbox, port: int) -> None:
    sandbox.faults.add(Fault(Kind.STALL, when=When.AFTER))
    waiting = asyncio.create_task(exchange(port))
    await asyncio.wrap_future(sandbox.calls.arrived(1))
    assert b'{"error":0,' in await exchange(port)
    assert not waiting.done()
    sandbox.faults.release()
    assert b'{"error":0,' in await waiting


async def test_a_call_whose_caller_left_is_still_run(sandbox: Sandbox, port: int) -> None:
    sandbox.faults.add(Fault(Kind.STALL))
    sent = request(b"suppresses/add", b'{"token":"sandbox","name":"New"}')
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await asyncio.wrap_future(sandbox.calls.arrived(1))
    writer.close()
    await writer.wait_closed()
    sandbox.faults.release()
    assert b"\r\nduplicate-request: true\r\n" in await exchange(port, sent)
    assert [call.fate for call in sandbox.calls] == [Fate.EXECUTED, Fate.REPLAYED]


@pytest.mark.parametrize("fault", [Fault(Kind.STALL), Fault(Kind.SLOW, ms=60_000)], ids=["stalled", "slow"])
async def test_the_server_stops_while_a_call_runs(
    sandbox: Sandbox, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(fault)
    async with running(sandbox) as base_url:
        waiting = asyncio.create_task(exchange(int(base_url.split(":")[2].split("/")[0])))
        await asyncio.wrap_future(sandbox.calls.arrived(1))
    with pytest.raises(ConnectionResetError):
        await waiting
    assert caplog.records == []


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("spelling", [b"Upgrade: h2c", b"upgrade:h2c"])
async def test_an_offer_of_another_protocol_is_ignored_and_the_body_is_read(
    port: int, sandbox: Sandbox, spelling: bytes
) -> None:
    """Java's HttpClient makes one with the first call on each connection."""
    offer = OFFER.replace(b"Upgrade: h2c", spelling)
    offering = request().replace(b"Connection: close\r\n", offer)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(offering)
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.write(request())
    replies = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert replies.count(b'"error":0') == 2
    first, second = sandbox.calls
    assert first.incoming.body == second.incoming.body == BODY


async def test_a_body_that_looks_like_an_offer_arrives_as_it_is(port: int, sandbox: Sandbox) -> None:
    body = b'{"token":"sandbox","id":1,\r\nupgrade: "h2c"}'
    await exchange(port, request(body=body))
    (call,) = sandbox.calls
    assert call.incoming.body == body


async def test_an_offer_does_not_make_another_request(port: int, sandbox: Sandbox) -> None:
    """The second call on a connection comes without one, and is the same call to a checksum."""
    person = b'{"token":"sandbox","db_id":1,"data":{"email":"new@example.com"}}'
    plain = request(b"profiles/add", person).replace(b"Request-ID: r1\r\n", b"")
    for sent in (
        plain.replace(b"Connection: close\r\n", b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n"),
        plain,
    ):
        await exchange(port, sent)
    assert [call.fate for call in sandbox.calls] == [Fate.EXECUTED, Fate.REPLAYED]
