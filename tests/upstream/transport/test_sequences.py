"""Whatever callers and peers do to each other, in any order: promises that hold for every sequence.

- a reply is the reply to this call;
- a failure that says "not written" was not seen by the peer;
- a modifying call reaches the peer at most once;
- afterwards every slot of the pool is usable.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.upstream.failures import was_written
from tests.upstream.transport.calls import Transport, body_of, post, state, transport
from tests.upstream.transport.peer import Peer, Talk, serving

SLOTS = 3
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass(frozen=True)
class Step:
    """One call: what the peer is told to do with it, and what its caller does."""

    peer: str
    modifies: bool
    leaves_after: int | None  # turns of the loop until the caller cancels
    deadline: float  # seconds
    pause: int  # turns of the loop before the next call starts


STEPS = st.builds(
    Step,
    peer=st.sampled_from(
        [
            "answer",
            "chunks",
            "drip",
            "last",
            "close after",
            "close",
            "half",
            "reset",
            "garbage",
            "surplus",
            "stall",
        ]
    ),
    modifies=st.booleans(),
    leaves_after=st.none() | st.integers(0, 30),
    deadline=st.sampled_from([0.0, 0.001, 0.004, 0.03]),
    pause=st.integers(0, 12),
)


async def obey(talk: Talk) -> None:
    """Does with each request what its body says."""
    while True:
        seen = await talk.request()
        body = seen.body
        match json.loads(body)["do"]:
            case "answer":
                await talk.answer(body)
            case "chunks":
                await talk.send(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nT: 1\r\n\r\n"
                    % (len(body), body)
                )
            case "drip":
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body):
                    await talk.send(bytes([byte]))
                    await asyncio.sleep(0)
            case "last":
                await talk.answer(body, b"Connection: close\r\n")
            case "close after":
                await talk.answer(body)
                return
            case "close":
                return
            case "half":
                await talk.send(b"HTTP/1.1 200 OK\r\nContent-")
                return
            case "reset":
                talk.reset()
                return
            case "garbage":
                await talk.send(b"nonsense\r\n\r\n")
            case "surplus":
                await talk.answer(body)
                await talk.answer(b"of another call")
            case "stall":
                await talk.stall()
                return


def message(number: int, do: str) -> bytes:
    return json.dumps({"id": number, "do": do}).encode()


async def call(over: Transport, peer: Peer, number: int, step: Step) -> None:
    """Makes one call and holds its outcome to the promises that concern it alone."""
    body = message(number, step.peer)
    deadline = asyncio.get_running_loop().time() + step.deadline
    try:
        response = await post(over, peer.url, body, modifies=step.modifies, deadline=deadline)
    except httpx.TransportError as error:
        if not was_written(error):
            assert body not in [seen.body for seen in peer.requests]
    else:
        assert body_of(response) == body


async def play(steps: list[Step]) -> None:
    async with serving(obey) as peer, transport("builtin", max_connections=SLOTS) as over:
        calls = []
        for number, step in enumerate(steps):
            task = asyncio.create_task(call(over, peer, number, step))
            calls.append(task)
            if step.leaves_after is not None:
                leave_after(step.leaves_after, task)
            for _ in range(step.pause):
                await asyncio.sleep(0)
        await asyncio.wait(calls)
        for task in calls:
            if not task.cancelled():
                task.result()
        check_the_peers_side(peer, steps)
        active, idle, waiting = state(over)
        assert (active, waiting) == (0, 0)
        assert idle <= SLOTS
        await meet(over, peer)


def leave_after(turns: int, task: "asyncio.Task[None]") -> None:
    """Cancels `task` after so many turns of the loop."""
    loop = asyncio.get_running_loop()
    if turns == 0:
        task.cancel()
    else:
        loop.call_soon(leave_after, turns - 1, task)


def check_the_peers_side(peer: Peer, steps: list[Step]) -> None:
    bodies = [seen.body for seen in peer.requests]
    for number, step in enumerate(steps):
        assert bodies.count(message(number, step.peer)) <= (1 if step.modifies else 2)


async def meet(over: Transport, peer: Peer) -> None:
    """As many calls as there are slots, answered when all have arrived: a lost slot would be missed."""
    meeting = asyncio.Barrier(SLOTS)

    async def wait_for_all(talk: Talk) -> None:
        seen = await talk.request()
        await meeting.wait()
        await talk.answer(seen.body)
        await talk.stall()

    for talk in peer.talks:
        talk.cut()
    await peer.until_open(0)
    peer.script = wait_for_all
    bodies = [message(1000 + number, "meet") for number in range(SLOTS)]
    replies = await asyncio.wait_for(asyncio.gather(*(post(over, peer.url, body) for body in bodies)), 10)
    assert [body_of(reply) for reply in replies] == bodies
    assert state(over) == (0, SLOTS, 0)


@pytest.mark.parametrize("new_loop", LOOPS.values(), ids=LOOPS.keys())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=1, max_size=14))
def test_any_sequence_of_calls_cancellations_and_faults_keeps_the_promises(
    new_loop: Callable[[], asyncio.AbstractEventLoop], steps: list[Step]
) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(play(steps))
