"""Who gets which connection, who waits, and what is closed."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from gateway.upstream.failures import kind_of, was_written
from gateway.upstream.transports import TransportName
from tests.upstream.transport.calls import body_of, post, state, transport, until
from tests.upstream.transport.peer import OK, Talk, echo, sending, serving

pytestmark = pytest.mark.anyio


async def test_a_connection_serves_one_call_after_another(kind: TransportName) -> None:
    async with serving(echo) as peer, transport(kind) as over:
        for number in range(5):
            assert body_of(await post(over, peer.url, b"%d" % number)) == b"%d" % number
        assert (peer.connections, state(over)) == (1, (0, 1, 0))


async def test_two_hundred_calls_share_ten_connections(kind: TransportName) -> None:
    async with serving(echo) as peer, transport(kind, max_connections=10) as over:
        replies = await asyncio.gather(*(post(over, peer.url, b"%d" % number) for number in range(200)))
        assert [body_of(reply) for reply in replies] == [b"%d" % number for number in range(200)]
        assert (peer.connections, state(over)) == (10, (0, 10, 0))


async def test_whoever_waits_longest_is_served_first(kind: TransportName) -> None:
    async with serving(echo) as peer, transport(kind, max_connections=1) as over:
        await asyncio.gather(*(post(over, peer.url, b"%d" % number) for number in range(50)))
        assert [seen.body for seen in peer.requests] == [b"%d" % number for number in range(50)]


async def test_each_origin_has_a_pool_of_its_own() -> None:
    async with (
        serving(sending()) as silent,
        serving(echo) as other,
        transport("builtin", max_connections=1) as over,
    ):
        stuck = asyncio.create_task(post(over, silent.url))
        assert body_of(await post(over, other.url, b"free")) == b"free"
        assert state(over) == (1, 1, 0)
        stuck.cancel()
        await asyncio.wait([stuck])


async def test_the_most_recently_used_connection_goes_first() -> None:
    """So that under less load the others grow old and are closed."""
    gate = asyncio.Event()

    async def gated(talk: Talk) -> None:
        while True:
            seen = await talk.request()
            await gate.wait()
            await talk.answer(b"%d" % peer.talks.index(talk) + seen.body)

    async with serving(gated) as peer, transport("builtin", max_connections=3) as over:
        calls = [asyncio.create_task(post(over, peer.url)) for _ in range(3)]
        await peer.until_open(3)
        gate.set()
        await asyncio.gather(*calls)
        serving_now = {body_of(await post(over, peer.url)) for _ in range(10)}
        assert len(serving_now) == 1
        assert state(over) == (0, 3, 0)


@pytest.mark.parametrize("modifies", [True, False], ids=["write", "read"])
async def test_a_connection_that_idled_carries_reads_but_no_writes(modifies: bool) -> None:
    async with serving(echo) as peer, transport("builtin", write_idle=0.0) as over:
        await post(over, peer.url)
        await post(over, peer.url, modifies=modifies)
        assert peer.connections == (2 if modifies else 1)


async def test_a_write_that_needs_a_new_connection_in_a_full_pool_ends_the_oldest_idle_one() -> None:
    async with serving(echo) as peer, transport("builtin", write_idle=0.0, max_connections=1) as over:
        await post(over, peer.url)
        await post(over, peer.url)
        assert (peer.connections, state(over)) == (2, (0, 1, 0))
        await peer.until_open(1)


async def test_idle_connections_are_closed_when_their_time_is_over() -> None:
    async with serving(echo) as peer, transport("builtin", keepalive=0.02) as over:
        await asyncio.gather(*(post(over, peer.url) for _ in range(3)))
        await peer.until_open(0)
        assert state(over) == (0, 0, 0)


async def test_a_connection_over_its_time_is_not_used_even_if_it_is_still_open() -> None:
    """The timer that closes it may be late: the loop was busy."""
    async with serving(echo) as peer, transport("builtin", keepalive=0.02) as over:
        await post(over, peer.url)
        time.sleep(0.03)  # noqa: ASYNC251  # a busy loop is what this is about
        await post(over, peer.url, modifies=False)
        assert peer.connections == 2


@pytest.mark.parametrize("modifies", [True, False], ids=["write", "read"])
async def test_a_connection_closed_at_the_moment_of_reuse_is_replaced_unseen(
    kind: TransportName, modifies: bool
) -> None:
    """The FIN is in the kernel, and the loop has had no turn to notice."""
    async with serving(sending(OK)) as peer, transport(kind) as over:
        await post(over, peer.url)
        peer.script = echo
        peer.talks[0].half_close()
        assert body_of(await post(over, peer.url, b"mine", modifies=modifies)) == b"mine"
        assert [seen.body for seen in peer.requests] == [b"{}", b"mine"]
        assert state(over) == (0, 1, 0)


async def answer_once(talk: Talk) -> None:
    """Takes a second request too, and hangs up instead of answering it."""
    await talk.request()
    await talk.send(OK)
    await talk.request()


async def test_a_read_that_met_the_end_of_its_connection_goes_once_more() -> None:
    async with serving(answer_once) as peer, transport("builtin") as over:
        await post(over, peer.url)
        assert body_of(await post(over, peer.url, b"mine", modifies=False)) == b"ok"
        assert [seen.body for seen in peer.requests] == [b"{}", b"mine", b"mine"]
        assert (over.stats().replaced, over.stats().opened) == (1, 2)


async def test_a_read_does_not_go_a_third_time() -> None:
    async def hang_up(talk: Talk) -> None:
        await talk.request()

    async with serving(sending(OK)) as peer, transport("builtin") as over:
        await post(over, peer.url)
        peer.talks[0].half_close()
        peer.script = hang_up
        with pytest.raises(httpx.RemoteProtocolError):
            await post(over, peer.url, modifies=False)
        assert peer.connections == 2
        assert state(over) == (0, 0, 0)


async def test_a_read_that_cannot_go_once_more_was_written_all_the_same(tmp_path: Path) -> None:
    """The second connection fails before a byte is written, and that is not the whole story."""
    path = tmp_path / "platform.sock"

    async def vanish(talk: Talk) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()
        path.unlink()

    async with serving(vanish, uds=str(path)) as peer, transport("builtin", uds=str(path)) as over:
        await post(over, peer.url)
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await post(over, peer.url, b"mine", modifies=False)
        assert (kind_of(caught.value), was_written(caught.value)) == ("reset", True)
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
        assert [seen.body for seen in peer.requests] == [b"{}", b"mine"]
        assert state(over) == (0, 0, 0)


async def test_a_read_whose_reply_broke_off_does_not_go_again() -> None:
    async def break_off(talk: Talk) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()
        await talk.send(OK[:-1])

    async with serving(break_off) as peer, transport("builtin") as over:
        await post(over, peer.url)
        with pytest.raises(httpx.RemoteProtocolError):
            await post(over, peer.url, modifies=False)
        assert len(peer.requests) == 2


async def test_a_write_that_met_the_end_of_its_connection_is_never_sent_again(kind: TransportName) -> None:
    """It was read by the peer, and may have been run."""
    async with serving(answer_once) as peer, transport(kind) as over:
        await post(over, peer.url)
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await post(over, peer.url, b"mine")
        assert (kind_of(caught.value), was_written(caught.value)) == ("reset", True)
        assert [seen.body for seen in peer.requests] == [b"{}", b"mine"]
        assert state(over) == (0, 0, 0)


async def test_waiting_for_a_slot_ends_with_the_callers_patience(kind: TransportName) -> None:
    async with serving(sending()) as peer, transport(kind, max_connections=1, first_byte_timeout=0.3) as over:
        stuck = asyncio.create_task(post(over, peer.url))
        await peer.until_open(1)
        with pytest.raises(httpx.PoolTimeout) as caught:
            await post(over, peer.url, timeout={"pool": 0.01})
        assert (kind_of(caught.value), was_written(caught.value)) == ("timeout", False)
        assert state(over) == (1, 0, 0)
        stuck.cancel()
        await asyncio.wait([stuck])


async def test_waiting_for_a_slot_ends_with_the_deadline(kind: TransportName) -> None:
    loop = asyncio.get_running_loop()
    async with serving(sending()) as peer, transport(kind, max_connections=1, first_byte_timeout=0.3) as over:
        stuck = asyncio.create_task(post(over, peer.url))
        await peer.until_open(1)
        with pytest.raises(httpx.PoolTimeout) as caught:
            await post(over, peer.url, deadline=loop.time() + 0.01)
        assert not was_written(caught.value)
        stuck.cancel()
        await asyncio.wait([stuck])
    assert len(peer.requests) == 1


async def test_a_call_whose_deadline_has_passed_is_not_sent(kind: TransportName) -> None:
    async with serving(echo) as peer, transport(kind) as over:
        await post(over, peer.url)
        with pytest.raises(httpx.PoolTimeout) as caught:
            await post(over, peer.url, deadline=asyncio.get_running_loop().time())
        assert not was_written(caught.value)
        assert (len(peer.requests), state(over)) == (1, (0, 1, 0))


async def test_a_closed_transport_turns_calls_away_and_lets_the_running_one_end() -> None:
    gate = asyncio.Event()

    async def gated(talk: Talk) -> None:
        await talk.request()
        await gate.wait()
        await talk.send(OK)
        await talk.stall()

    async with serving(gated) as peer, transport("builtin", max_connections=1) as over:
        running = asyncio.create_task(post(over, peer.url))
        await peer.until_open(1)
        waiting = asyncio.create_task(post(over, peer.url))
        await until(lambda: state(over) == (1, 0, 1))
        await over.aclose()
        gate.set()
        assert body_of(await running) == b"ok"
        for call in (waiting, post(over, peer.url)):
            with pytest.raises(httpx.ConnectError, match="closed") as caught:
                await call
            assert not was_written(caught.value)
        assert state(over) == (0, 0, 0)
        await peer.until_open(0)


async def test_its_repr_shows_the_pools() -> None:
    async with serving(echo) as peer, transport("builtin") as over:
        await post(over, peer.url)
        origin = peer.url.removesuffix("/api/v1.1/x")
        assert repr(over) == f"<BuiltinTransport [<Route to {origin}: <Pool 0 active, 1 idle, 0 waiting>>]>"
