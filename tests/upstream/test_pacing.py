"""Requests under `upstream.rate`: sent at their turn, told to come again when that is too far off."""

import asyncio
from typing import Any

import httpx
import pytest

from gateway import errors
from gateway.policy.pacing import Pace
from gateway.stores.memory_bucket import MemoryBucket
from gateway.upstream.client import Outgoing
from gateway.upstream.pacing import Pacer
from gateway.upstream.sender import Outcome, Sender
from gateway.upstream.wire import Destination
from tests import builders
from tests.byhand import BASE_URL, Platform, Watched, guards, sender
from tests.skipping import BACKEND, all_is_done

pytestmark = pytest.mark.anyio

READ = Outgoing(
    Destination.of(httpx.URL(f"{BASE_URL}/databases/get")),
    b"POST /api/v1.1/databases/get HTTP/1.1\r\n",
    b"{}",
    builders.READ,
    untouched=False,
)
LATE = 1000.0
SECOND = 1.0  # between two requests: a rate without anything at once


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


@pytest.fixture
def platform() -> Platform:
    return Platform()


def paced(platform: Platform, watched: Watched, *, patience: float = 5.0, **of: Any) -> tuple[Sender, Pacer]:
    clock = asyncio.get_running_loop().time
    pacer = Pacer(MemoryBucket(Pace.of(1 / SECOND), clock), patience, clock, watched.held.append)
    return sender(platform, guards(**of), watched, pacer=pacer), pacer


async def answered(platform: Platform, number: int) -> None:
    """Answer every request as it comes, until so many have come."""
    for index in range(number):
        while len(platform.attempts) <= index:
            await all_is_done()
        platform.attempts[index].answer()


async def test_requests_go_out_at_the_rate_in_the_order_of_their_calls(platform: Platform) -> None:
    watched = Watched()
    to, pacer = paced(platform, watched)
    calls = [asyncio.create_task(to.send(READ, LATE)) for _ in range(4)]
    await all_is_done()
    assert pacer.waiting == 3
    await answered(platform, 4)
    outcomes = await asyncio.gather(*calls)
    assert [attempt.arrived for attempt in platform.attempts] == pytest.approx([0, 1, 2, 3], abs=0.01)
    assert [outcome.queue_seconds for outcome in outcomes] == pytest.approx([0, 1, 2, 3], abs=0.01)
    assert all(outcome.upstream_seconds < 0.5 for outcome in outcomes)
    assert watched.held == ["waited"] * 3
    assert pacer.waiting == 0


async def test_a_call_whose_turn_is_too_far_off_is_told_to_come_again(platform: Platform) -> None:
    watched = Watched()
    to, _ = paced(platform, watched, patience=1.5)
    calls = [asyncio.create_task(to.send(READ, LATE)) for _ in range(4)]
    await answered(platform, 2)
    outcomes = await asyncio.gather(*calls)
    refusals = [refusal(outcome) for outcome in outcomes if outcome.failure is not None]
    assert [(each.kind, dict(each.headers)) for each in refusals] == [
        (errors.OVERLOADED, {"Retry-After": "2"})
    ] * 2
    assert len(platform.attempts) == 2
    assert sorted(watched.held) == ["refused", "refused", "waited"]


async def test_nobody_waits_for_a_turn_beyond_its_own_deadline(platform: Platform) -> None:
    to, _ = paced(platform, Watched())
    calls = [asyncio.create_task(to.send(READ, deadline)) for deadline in (LATE, 0.5)]
    await answered(platform, 1)
    _, refused = await asyncio.gather(*calls)
    assert refusal(refused).kind is errors.OVERLOADED
    assert asyncio.get_running_loop().time() < 0.5


async def test_another_attempt_takes_a_turn_of_its_own(platform: Platform) -> None:
    to, _ = paced(platform, Watched(), attempts=2)
    call = asyncio.create_task(to.send(READ, LATE))
    await all_is_done()
    platform.only.break_off()
    await answered_second(platform)
    outcome = await call
    assert outcome.attempts == 2
    assert platform.attempts[1].arrived == pytest.approx(SECOND, abs=0.01)


async def answered_second(platform: Platform) -> None:
    while len(platform.attempts) < 2:
        await all_is_done()
    platform.attempts[1].answer()


async def test_what_is_kept_back_after_an_attempt_that_was_sent_leaves_its_outcome_unknown(
    platform: Platform,
) -> None:
    to, _ = paced(platform, Watched(), patience=0.25, attempts=2)
    call = asyncio.create_task(to.send(READ, LATE))
    await all_is_done()
    platform.only.break_off()
    outcome = await call
    assert outcome.written
    assert len(platform.attempts) == 1


async def test_an_open_breaker_takes_no_turns(platform: Platform) -> None:
    watched = Watched()
    to, _ = paced(platform, watched, min_calls=1, open_for=100.0)
    call = asyncio.create_task(to.send(READ, LATE))
    await all_is_done()
    platform.only.break_off()
    await call
    outcomes = [await to.send(READ, LATE) for _ in range(5)]
    assert {refusal(outcome).kind for outcome in outcomes} == {errors.BREAKER_OPEN}
    assert watched.held == []


async def test_a_call_that_is_cancelled_while_it_waits_is_not_counted_as_waiting(platform: Platform) -> None:
    to, pacer = paced(platform, Watched())
    calls = [asyncio.create_task(to.send(READ, LATE)) for _ in range(2)]
    await all_is_done()
    assert pacer.waiting == 1
    calls[1].cancel()
    await asyncio.gather(calls[1], return_exceptions=True)
    assert pacer.waiting == 0
    await answered(platform, 1)
    await calls[0]


def refusal(outcome: Outcome) -> errors.CallError:
    assert isinstance(outcome.failure, errors.CallError)
    return outcome.failure
