"""gateway.upstream.builtin.dialing: addresses are tried in order."""

import gc
import socket
import weakref

import httpx
import pytest

from gateway.upstream.builtin.dialing import open_first
from gateway.upstream.failures import was_written

pytestmark = pytest.mark.anyio

NO_SUCH_FAMILY = 9  # AF_X25: no host here has it, as many have no IPv6


async def test_an_address_of_a_family_that_the_host_lacks_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = await open_first(
            [(NO_SUCH_FAMILY, ("::1", 1)), (socket.AF_INET, listener.getsockname())], within=5
        )
        sock.close()


async def test_when_no_family_will_do_nothing_was_written() -> None:
    with pytest.raises(httpx.ConnectError) as failed:
        await open_first([(NO_SUCH_FAMILY, ("::1", 1))], within=5)
    assert not was_written(failed.value)


async def test_a_failure_holds_nothing_once_it_was_handled() -> None:
    class Body:
        """Stands for what a caller's frame holds."""

    async def attempt() -> "weakref.ref[Body]":
        body = Body()
        with pytest.raises(httpx.ConnectError):
            await open_first([(NO_SUCH_FAMILY, ("::1", 1))], within=5)
        return weakref.ref(body)

    gc.disable()
    try:
        assert (await attempt())() is None
    finally:
        gc.enable()
