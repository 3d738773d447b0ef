"""The sandbox on a port: in a loop, in a thread, and as the command runs it."""

import asyncio
import subprocess
import threading

import httpx
import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import introduction, running, running_in_thread, serve

QUERY = {"token": "sandbox", "id": 1}


@pytest.mark.anyio
async def test_the_port_is_free_again_afterwards(sandbox: Sandbox) -> None:
    async with running(sandbox) as base_url, httpx.AsyncClient() as client:
        assert (await client.post(f"{base_url}/databases/get", json=QUERY)).json()["error"] == 0
    port = int(base_url.split(":")[2].split("/")[0])
    async with running(sandbox, port=port) as again:
        assert again == base_url == f"http://127.0.0.1:{port}/api/v1.1"


@pytest.mark.anyio
async def test_a_taken_port_is_an_error(sandbox: Sandbox) -> None:
    async with running(sandbox) as base_url:
        port = int(base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="address already in use"):
            async with running(Sandbox(), port=port):
                raise AssertionError("the port was taken")


def test_a_thread_of_its_own_for_code_without_a_loop() -> None:
    sandbox = Sandbox()
    before = threading.active_count()
    with running_in_thread(sandbox) as base_url:
        assert httpx.post(f"{base_url}/databases/get", json=QUERY).json()["error"] == 0
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{base_url}/databases/get", json=QUERY)


def test_a_taken_port_is_an_error_in_a_thread_too() -> None:
    with running_in_thread(Sandbox()) as base_url:
        port = int(base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="address already in use"), running_in_thread(Sandbox(), port=port):
            raise AssertionError("the port was taken")


def test_a_stalled_call_is_released_from_another_thread() -> None:
    sandbox = Sandbox()
    with running_in_thread(sandbox) as base_url:
        sandbox.faults.add(Fault(Kind.STALL))
        replies: list[httpx.Response] = []
        caller = threading.Thread(
            target=lambda: replies.append(httpx.post(f"{base_url}/databases/get", json=QUERY))
        )
        caller.start()
        sandbox.calls.arrived(1).result(timeout=10)
        sandbox.faults.release()
        caller.join(timeout=10)
    assert [reply.json()["error"] for reply in replies] == [0]


@pytest.mark.anyio
async def test_serve_announces_where_it_is_and_runs_until_it_is_cancelled() -> None:
    announced: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(serve(announced.put_nowait, port=0, tokens=["my-token"], seed=3))
    text = await announced.get()
    base_url = text.split(" (token: my-token)")[0].rpartition(" ")[2]
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{base_url}/databases/get", json={"token": "my-token", "id": 1})
        assert reply.json()["error"] == 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_calls_in_the_introduction_work_when_copied() -> None:
    sandbox = Sandbox()
    with running_in_thread(sandbox) as base_url:
        text = introduction(base_url, "sandbox")
        commands = [block for block in text.split("\n\n") if "  curl" in block]
        got = [_run(block.partition("\n")[2]) for block in commands]
    assert '"email":"customer1@example.com"' in got[0]
    assert got[1].startswith("<xml><error>0</error>")
    assert '"kind": "reset"' in got[2]
    assert '"api_method": "profiles/import"' in got[3]
    assert (len(got), len(sandbox.calls), list(sandbox.faults)) == (5, 0, [])


def _run(command: str) -> str:
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=20
    ).stdout
