"""gateway.offload: where conversions run."""

import os
import threading

import pytest

from gateway.offload import JSON_AT_ONCE, XML_AT_ONCE, XML_IN_A_THREAD, Offload

pytestmark = pytest.mark.anyio


def where() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def end_the_worker() -> None:
    os._exit(1)


async def test_small_bodies_are_converted_at_once() -> None:
    here = where()
    assert await Offload().json(JSON_AT_ONCE, where) == here
    assert await Offload().xml(XML_AT_ONCE, where) == here


async def test_larger_ones_leave_the_loop_to_others() -> None:
    process, thread = where()
    for used in (
        await Offload().json(JSON_AT_ONCE + 1, where),
        await Offload().xml(XML_AT_ONCE + 1, where),
    ):
        assert used[0] == process
        assert used[1] != thread


async def test_huge_xml_goes_to_another_process_and_a_killed_one_is_replaced() -> None:
    offload = Offload()
    try:
        assert (await offload.xml(XML_IN_A_THREAD + 1, where))[0] != os.getpid()
        with pytest.raises(Exception, match="terminated"):
            await offload.xml(XML_IN_A_THREAD + 1, end_the_worker)
        assert (await offload.xml(XML_IN_A_THREAD + 1, where))[0] != os.getpid()
    finally:
        offload.close()


async def test_an_error_of_the_conversion_comes_back_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await Offload().json(1, divmod, 1, 0)
