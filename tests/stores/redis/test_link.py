"""The way to Redis in each failure: what a call waits for, what is counted, and that it comes back."""

import asyncio
from contextlib import suppress

import hiredis
import pytest

from gateway.errors import StoreAwayError
from gateway.stores.redis.link import Link, Refused
from gateway.stores.redis.scripts import CHANGE
from tests.stores.redis.links import call, link_at, linked, patience_after
from tests.stores.redis.relay import relayed
from tests.valkey import Server

pytestmark = pytest.mark.anyio

SHORT = 0.2
"""What a call may wait, where it is to wait in vain."""


async def ping(link: Link) -> None:
    await link.ask("ping", b"PING")


async def fails(link: Link) -> None:
    with pytest.raises(StoreAwayError):
        await ping(link)


async def test_a_server_that_refuses_is_found_as_soon_as_it_is_there(server: Server) -> None:
    server.stop()
    async with linked(server.url) as watched:
        assert not watched.link.is_up
        assert watched.failures["connect"] == 1
        await fails(watched.link)
        server.start()
        await watched.up()
        await call(lambda: ping(watched.link))


async def test_a_server_that_is_gone_costs_a_call_nothing(server: Server) -> None:
    async with linked(server.url) as watched:
        link = watched.link
        server.stop()
        await watched.down()

        left = [await patience_after(link, lambda: fails(link)) for _ in range(100)]

        assert left == [link.timeout] * 100
        assert watched.failures["ping"] == 100
        assert "lost" in link.problem


async def test_a_silent_server_is_waited_for_once(server: Server) -> None:
    async with linked(server.url, patience=SHORT) as watched:
        link = watched.link
        server.pause()
        try:
            first = await patience_after(link, lambda: fails(link))
            assert not link.is_up
            next_ones = [await patience_after(link, lambda: fails(link)) for _ in range(100)]
        finally:
            server.resume()
        await watched.up()

    assert first <= 0
    assert next_ones == [SHORT] * 100
    assert link.problem == "closed"


async def test_all_that_is_out_when_a_server_falls_silent_is_given_up_at_once(server: Server) -> None:
    async with linked(server.url, patience=SHORT) as watched:
        server.pause()
        try:
            ends = await asyncio.gather(
                *(call(lambda: ping(watched.link)) for _ in range(50)), return_exceptions=True
            )
        finally:
            server.resume()
    assert {type(end) for end in ends} == {StoreAwayError}
    assert watched.falls == 1


async def test_the_questions_of_one_call_wait_no_longer_together_than_one_may(server: Server) -> None:
    async with relayed(server) as relay, linked(relay.url, patience=1.0) as watched:
        relay.delay = 0.3
        answered = 0

        async def ask_on() -> None:
            nonlocal answered
            with suppress(StoreAwayError):
                while True:
                    await ping(watched.link)
                    answered += 1

        left = await patience_after(watched.link, ask_on)

    assert 1 <= answered <= 3
    assert left <= 0.1


async def test_a_connection_that_breaks_is_replaced_and_nothing_fails(server: Server) -> None:
    async with relayed(server) as relay, linked(relay.url) as watched:
        relay.delay = 0.05  # so that there are questions without a reply
        asked = [asyncio.ensure_future(call(lambda: ping(watched.link))) for _ in range(50)]
        await asyncio.sleep(0)
        relay.cut()
        await asyncio.gather(*asked)

        assert watched.falls == 0
        assert relay.connections == 2
        assert not watched.failures


async def test_a_connection_that_breaks_while_the_server_is_gone_is_not_replaced(server: Server) -> None:
    async with linked(server.url) as watched:
        server.stop()
        asked = [call(lambda: ping(watched.link)) for _ in range(50)]
        ends = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(end) for end in ends} == {StoreAwayError}
        server.start()
        await watched.up()
        await call(lambda: ping(watched.link))


async def test_a_server_that_was_started_anew_is_another_one(server: Server) -> None:
    async with linked(server.url) as watched:
        was = watched.link.run
        server.stop()
        server.start()
        await watched.down()
        await watched.up()
        assert watched.link.run not in ("", was)


async def test_a_server_that_forgot_is_noticed_by_itself(server: Server) -> None:
    async with linked(server.url) as watched:
        was = watched.link.term
        server.client.flushall()
        await watched.down()
        assert "forgotten" in watched.link.problem
        await watched.up()
        assert watched.link.term != was
        assert server.client.exists(watched.link.keys.alive(watched.link.term))


async def test_scripts_that_were_forgotten_are_learnt_again(server: Server) -> None:
    async with linked(server.url) as watched:
        server.client.script_flush()
        with pytest.raises(StoreAwayError):
            await call(lambda: watched.link.script("purge", CHANGE, [b"x"]))
        await watched.up()
        assert await call(lambda: watched.link.script("purge", CHANGE, [b"x"])) == [None]


async def test_a_server_that_takes_no_writes_is_not_used(server: Server) -> None:
    async with linked(server.url) as watched:
        server.client.replicaof("127.0.0.1", server.port)  # of itself: read only, and nobody to follow
        with pytest.raises(StoreAwayError):
            await call(lambda: watched.link.ask("set", b"SET", watched.link.keys.prefix, b"1"))
        assert watched.link.problem == "it refuses: READONLY"
        assert watched.failures["set"] == 1
        server.client.replicaof("NO", "ONE")
        await watched.up()


async def test_no_memory_is_the_trouble_of_what_needs_some(server: Server) -> None:
    async with linked(server.url) as watched:
        server.client.config_set("maxmemory", 1)
        with pytest.raises(Refused):
            await call(lambda: watched.link.ask("set", b"SET", watched.link.keys.prefix, b"1"))
        await call(lambda: ping(watched.link))
        assert watched.link.is_up
        assert watched.failures == {"set": 1}


async def test_an_error_that_an_older_redis_wraps_is_still_no_memory(server: Server) -> None:
    async with linked(server.url) as watched:
        old = "ERR Error running script: @user_script: 10: -OOM command not allowed when memory is short"
        with pytest.raises(Refused):
            watched.link._checked(redis_error(old))
        assert watched.link.is_up


def redis_error(text: str) -> Exception:
    reader = hiredis.Reader()
    reader.feed(f"-{text}\r\n".encode())
    found = reader.gets()
    assert isinstance(found, Exception)
    return found


async def test_a_user_who_may_not_listen_is_told_so_and_gets_no_other_s_replies(server: Server) -> None:
    admin = server.client
    admin.acl_setuser(
        "deaf", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@all"], reset_channels=True
    )
    async with linked(f"redis://deaf:secret@127.0.0.1:{server.port}/0") as watched:
        assert not watched.link.is_up
        assert watched.link.problem == "it refuses: NOPERM"
        admin.acl_setuser("deaf", enabled=True, channels=["*"])
        await watched.up()


async def test_a_link_that_is_closed_says_that_its_gateway_is_gone(server: Server) -> None:
    watched = link_at(server.url)
    await watched.link.start()
    key = watched.link.keys.alive(watched.link.term)
    assert server.client.exists(key)
    await watched.link.aclose()
    assert not server.client.exists(key)
