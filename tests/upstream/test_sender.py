"""Sending a call as often as is safe, and never beyond its time, its budget or the breaker."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from gateway import errors
from gateway.annex import Annex
from gateway.offload import Offload
from gateway.policy.breaker import State
from gateway.policy.retrying import Trouble
from gateway.upstream.client import AttemptError, Outgoing
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
WRITE = msgspec.structs.replace(READ, method=builders.WRITE)
SOON = 60.0  # a deadline


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


@pytest.fixture
def platform() -> Platform:
    return Platform()


async def sending(
    sender: Sender, outgoing: Outgoing = READ, deadline: float = SOON
) -> "asyncio.Task[Outcome]":
    """A call that has gone as far as it can by itself."""
    task = asyncio.create_task(sender.send(outgoing, deadline))
    await all_is_done()
    return task


def kind_of(outcome: Outcome) -> errors.ErrorKind:
    assert isinstance(outcome.failure, errors.CallError)
    return outcome.failure.kind


async def break_all(platform: Platform, count: int) -> None:
    """Let so many attempts fail, one after the other, whenever they come."""
    for number in range(count):
        while len(platform.attempts) <= number:
            await all_is_done()
        platform.attempts[number].break_off()


async def test_an_answer_is_the_end(platform: Platform) -> None:
    watched = Watched()
    task = await sending(sender(platform, guards(attempts=3), watched))
    platform.only.answer(data=1)
    outcome = await task
    assert outcome.reply is not None
    assert outcome.reply.envelope.code == 0
    assert (outcome.failure, outcome.attempts, outcome.lost) == (None, 1, False)
    assert (len(watched.attempts), watched.retries) == (1, [])


async def test_a_read_is_tried_again_as_often_as_is_allowed_and_each_time_the_same(
    platform: Platform,
) -> None:
    watched = Watched()
    task = await sending(sender(platform, guards(attempts=3), watched))
    await break_all(platform, 3)
    outcome = await task
    assert isinstance(outcome.failure, AttemptError)
    assert (outcome.failure.kind, outcome.attempts, outcome.lost) == ("reset", 3, True)
    assert {(attempt.head, attempt.body) for attempt in platform.attempts} == {(READ.head, READ.body)}
    assert watched.retries == [Trouble.BROKEN, Trouble.BROKEN]
    assert [attempt.failure for attempt in watched.attempts] == ["reset"] * 3


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
async def test_the_pause_is_any_share_of_one_that_doubles_up_to_its_bound(
    platform: Platform, chance: float
) -> None:
    of = guards(attempts=5, backoff=0.5, max_backoff=1.5)
    task = await sending(sender(platform, of, chance=chance))
    failed_at = []
    for number in range(5):
        while len(platform.attempts) <= number:
            await all_is_done()
        failed_at.append(asyncio.get_running_loop().time())
        platform.attempts[number].break_off()
    await task
    came_at = [attempt.arrived for attempt in platform.attempts[1:]]
    pauses = [came - failed for came, failed in zip(came_at, failed_at, strict=False)]
    assert pauses == [chance * longest for longest in (0.5, 1.0, 1.5, 1.5)]


async def test_what_the_platform_asks_for_comes_on_top_of_the_pause(platform: Platform) -> None:
    task = await sending(sender(platform, guards(attempts=2, backoff=0.5), chance=0.5))
    asked_at = asyncio.get_running_loop().time()
    platform.only.answer(503, {"retry-after": "7"}, error=503)
    await asyncio.sleep(10)
    assert platform.only.arrived == asked_at + 7.25
    platform.only.answer()
    assert (await task).attempts == 2


async def test_no_attempt_begins_after_the_deadline(platform: Platform) -> None:
    watched = Watched()
    task = await sending(
        sender(platform, guards(attempts=9, backoff=4.0, max_backoff=4.0), watched), deadline=10.0
    )
    await break_all(platform, 5)
    outcome = await task
    # Pauses of 2 seconds: at 0, 2, 4, 6 and 8, but not at 10.
    assert (outcome.attempts, len(watched.retries)) == (5, 4)
    assert [round(attempt.arrived) for attempt in platform.attempts] == [0, 2, 4, 6, 8]


async def test_an_attempt_ends_at_the_deadline(platform: Platform) -> None:
    outcome = await sender(platform, guards(attempts=3)).send(READ, 10.0)
    assert isinstance(outcome.failure, AttemptError)
    assert (outcome.failure.kind, outcome.attempts) == ("timeout", 1)
    assert asyncio.get_running_loop().time() == 10.0


async def test_all_calls_together_retry_ten_times_and_no_more(platform: Platform) -> None:
    watched = Watched()
    to = sender(platform, guards(attempts=3, budget=0.1), watched)
    tasks = [asyncio.create_task(to.send(READ, SOON)) for _ in range(30)]
    await break_all(platform, 40)
    outcomes = await asyncio.gather(*tasks)
    assert sum(outcome.attempts for outcome in outcomes) == len(platform.attempts) == 40
    assert len(watched.retries) == 10


async def test_a_large_number_of_calls_retries_its_share(platform: Platform) -> None:
    watched = Watched()
    to = sender(platform, guards(attempts=3, budget=0.1), watched)
    tasks = [asyncio.create_task(to.send(READ, SOON)) for _ in range(300)]
    await break_all(platform, 330)
    await asyncio.gather(*tasks)
    assert (len(platform.attempts), len(watched.retries)) == (330, 30)


async def test_a_write_that_was_sent_is_sent_again_only_to_a_platform_that_knows_repeats(
    platform: Platform,
) -> None:
    task = await sending(sender(platform, guards(attempts=3), repeatable=False), WRITE)
    platform.only.break_off()
    outcome = await task
    assert (outcome.attempts, outcome.written) == (1, True)

    task = await sending(sender(platform, guards(attempts=3)), WRITE)
    platform.only.break_off()
    await asyncio.sleep(1)
    platform.only.answer()
    outcome = await task
    assert (outcome.attempts, outcome.written, outcome.lost) == (2, False, True)


async def test_a_write_that_timed_out_is_not_sent_again(platform: Platform) -> None:
    task = await sending(sender(platform, guards(attempts=3)), WRITE)
    platform.only.break_off("timeout")
    assert ((await task).attempts, len(platform.attempts)) == (1, 1)


async def test_what_was_sent_once_stays_sent_when_the_next_attempt_is_refused(platform: Platform) -> None:
    task = await sending(sender(platform, guards(attempts=2)), WRITE)
    platform.only.break_off()
    await asyncio.sleep(1)
    platform.only.break_off("connect", written=False)
    outcome = await task
    assert isinstance(outcome.failure, AttemptError)
    assert (outcome.failure.kind, outcome.written) == ("reset", True)


async def test_the_breaker_opens_refuses_and_says_for_how_long(platform: Platform) -> None:
    of = guards(min_calls=4, open_for=5.0)
    to = sender(platform, of)
    tasks = [asyncio.create_task(to.send(READ, SOON)) for _ in range(4)]
    await break_all(platform, 4)
    await asyncio.gather(*tasks)
    assert of.breaker.state(asyncio.get_running_loop().time()) is State.OPEN

    outcome = await to.send(READ, SOON)
    assert kind_of(outcome) is errors.BREAKER_OPEN
    assert isinstance(outcome.failure, errors.CallError)
    assert outcome.failure.headers == {"Retry-After": "5"}
    assert (outcome.attempts, len(platform.attempts)) == (0, 4)


async def test_after_its_time_one_call_probes_and_its_answer_closes_the_breaker(platform: Platform) -> None:
    of = guards(min_calls=1, open_for=5.0)
    to = sender(platform, of)
    task = await sending(to)
    platform.only.break_off()
    await task
    await asyncio.sleep(5)

    probe = await sending(to)
    assert kind_of(await to.send(READ, SOON)) is errors.BREAKER_OPEN
    platform.only.answer()
    assert (await probe).reply is not None

    tasks = [await sending(to), await sending(to)]
    assert len(platform.waiting) == 2
    for attempt in platform.waiting:
        attempt.answer()
    await asyncio.gather(*tasks)


async def test_a_probe_that_fails_opens_the_breaker_again(platform: Platform) -> None:
    of = guards(min_calls=1, open_for=5.0)
    to = sender(platform, of)
    for _ in range(2):
        task = await sending(to)
        platform.only.break_off()
        await task
        assert kind_of(await to.send(READ, SOON)) is errors.BREAKER_OPEN
        await asyncio.sleep(5)


async def test_a_probe_that_is_cancelled_gives_its_turn_back(platform: Platform) -> None:
    to = sender(platform, guards(min_calls=1, open_for=5.0))
    task = await sending(to)
    platform.only.break_off()
    await task
    await asyncio.sleep(5)

    probe = await sending(to)
    probe.cancel()
    await asyncio.wait([probe])
    assert probe.cancelled()

    task = await sending(to)
    platform.only.answer()
    assert (await task).reply is not None


async def test_an_error_code_of_the_platform_is_an_answer_and_opens_no_breaker(platform: Platform) -> None:
    of = guards(min_calls=1)
    task = await sending(sender(platform, of))
    platform.only.answer(error=500)
    assert (await task).reply is not None
    assert of.breaker.state(asyncio.get_running_loop().time()) is State.CLOSED


async def test_a_retry_that_the_breaker_refuses_is_no_retry_and_the_first_outcome_stays(
    platform: Platform,
) -> None:
    watched = Watched()
    of = guards(min_calls=1, attempts=3)
    task = await sending(sender(platform, of, watched), WRITE)
    platform.only.break_off()  # opens the breaker
    outcome = await task
    assert isinstance(outcome.failure, AttemptError)
    assert (outcome.written, outcome.attempts, watched.retries) == (True, 1, [])


async def test_the_platforms_own_later_is_given_when_the_breaker_refuses_to_ask_again(
    platform: Platform,
) -> None:
    of = guards(min_calls=2, attempts=3, backoff=1.0)
    to = sender(platform, of)
    put_off, *failing = [await sending(to) for _ in range(4)]
    first, *others = platform.waiting
    first.answer(503, error=503)
    for attempt in others:
        attempt.break_off()
    outcome = await put_off
    await asyncio.gather(*failing)
    assert outcome.reply is not None
    assert (outcome.reply.status, outcome.attempts) == (503, 1)


async def test_a_call_whose_time_was_over_in_the_queue_is_not_sent_and_says_nothing_of_the_platform(
    platform: Platform,
) -> None:
    watched = Watched()
    of = guards(places=1, patience=30.0, min_calls=1)
    to = sender(platform, of, watched)
    first = await sending(to)
    late = await sending(to, deadline=10.0)
    await asyncio.sleep(20)
    platform.only.answer()
    await first
    outcome = await late
    assert kind_of(outcome) is errors.UPSTREAM_TIMEOUT
    assert (outcome.written, outcome.attempts, len(platform.attempts)) == (False, 0, 1)
    assert (len(watched.attempts), of.breaker.state(20.0)) == (1, State.CLOSED)
    assert outcome.queue_seconds > 9


async def test_a_full_queue_and_a_long_wait_are_refused_with_nothing_sent(platform: Platform) -> None:
    to = sender(platform, guards(places=1, queue=1, patience=5.0))
    first = await sending(to)
    waiting = await sending(to)
    full = await to.send(READ, SOON)
    assert kind_of(full) is errors.OVERLOADED
    patient = await waiting
    assert kind_of(patient) is errors.OVERLOADED
    assert patient.queue_seconds == 5.0
    platform.only.answer()
    assert (await first).reply is not None


@pytest.mark.parametrize("where", ["in the queue", "at the platform", "in the pause"])
async def test_a_cancelled_call_leaves_its_place(platform: Platform, where: str) -> None:
    watched = Watched()
    of = guards(places=1, attempts=2, backoff=8.0)
    to = sender(platform, of, watched)
    task = await sending(to)
    if where == "in the queue":
        cancelled = await sending(to)
        assert of.admission.queued == 1
    else:
        cancelled = task
    if where == "in the pause":
        platform.only.break_off()
        await all_is_done()
        assert not platform.waiting
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert cancelled.cancelled()
    for attempt in platform.waiting:
        attempt.answer()
    await asyncio.wait([task])
    assert (of.admission.running, of.admission.queued, watched.retries) == (0, 0, [])


class Rewriting:
    """Another token's request, when it is asked for."""

    def __init__(self, outgoing: Outgoing | None) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()
        self._outgoing = outgoing

    async def __call__(self) -> Outgoing | None:
        self.asked += 1
        await self.open.wait()
        return self._outgoing


OTHER = msgspec.structs.replace(READ, body=b'{"token":"other"}')


async def rejected(platform: Platform, count: int) -> None:
    """Reject the token of so many attempts."""
    for number in range(count):
        while len(platform.attempts) <= number:
            await all_is_done()
        platform.attempts[number].answer(error=401)


@pytest.mark.parametrize("outgoing", [READ, WRITE], ids=["read", "write"])
async def test_a_call_whose_token_was_rejected_is_sent_once_more_under_another(
    platform: Platform, outgoing: Outgoing
) -> None:
    watched, rewriting = Watched(), Rewriting(OTHER)
    to = sender(platform, guards(attempts=5), watched)
    task = asyncio.create_task(to.send(outgoing, SOON, rewrite=rewriting))
    await rejected(platform, 2)
    outcome = await task
    assert outcome.reply is not None
    assert (outcome.reply.rejects_token, outcome.attempts, rewriting.asked) == (True, 2, 1)
    assert [attempt.body for attempt in platform.attempts] == [READ.body, OTHER.body]
    assert watched.retries == [Trouble.REJECTED]


async def test_a_rejected_call_has_left_its_place_while_another_token_is_looked_for(
    platform: Platform,
) -> None:
    rewriting, of = Rewriting(OTHER), guards(places=1)
    rewriting.open.clear()
    task = asyncio.create_task(sender(platform, of).send(READ, SOON, rewrite=rewriting))
    await rejected(platform, 1)
    await all_is_done()
    assert (rewriting.asked, of.admission.running) == (1, 0)
    rewriting.open.set()
    await all_is_done()
    platform.only.answer()
    outcome = await task
    assert outcome.reply is not None
    assert outcome.reply.envelope.code == 0


async def test_a_source_that_takes_longer_than_the_call_may_leaves_the_rejection(platform: Platform) -> None:
    rewriting = Rewriting(OTHER)
    rewriting.open.clear()
    task = asyncio.create_task(sender(platform, guards()).send(READ, 10.0, rewrite=rewriting))
    await rejected(platform, 1)
    outcome = await task
    assert outcome.reply is not None
    assert outcome.reply.rejects_token
    assert asyncio.get_running_loop().time() == 10.0


@pytest.mark.parametrize("sent_before", [True, False], ids=["by an earlier call", "by this call"])
async def test_a_write_that_may_have_arrived_is_not_sent_under_another_token(
    platform: Platform, sent_before: bool
) -> None:
    rewriting = Rewriting(OTHER)
    to = sender(platform, guards(attempts=2))
    task = asyncio.create_task(to.send(WRITE, SOON, sent_before=sent_before, rewrite=rewriting))
    await all_is_done()
    if not sent_before:
        platform.only.break_off()
        await asyncio.sleep(1)
    platform.only.answer(error=401)
    outcome = await task
    assert outcome.reply is not None
    assert (outcome.reply.rejects_token, rewriting.asked) == (True, 0)


@pytest.mark.parametrize("outgoing", [READ, WRITE], ids=["read", "write"])
async def test_a_reply_that_the_gateway_cannot_read_is_not_fetched_again_and_opens_no_breaker(
    platform: Platform, outgoing: Outgoing
) -> None:
    of, watched = guards(attempts=3, min_calls=1), Watched()
    offload = Offload(Annex(patience=0.0))
    task = await sending(sender(platform, of, watched, offload=offload), outgoing)
    platform.only.answer(data="x" * 500_000)
    outcome = await task
    offload.close()
    assert isinstance(outcome.failure, AttemptError)
    assert "cannot be read" in outcome.failure.text
    assert (outcome.written, watched.retries, len(platform.attempts)) == (True, [], 1)
    assert of.breaker.state(0.0) is State.CLOSED
