"""gateway.observe.backlog: every record is read once, by everybody, and soon."""

import asyncio

import pytest
from msgspec.structs import replace

from gateway.observe.backlog import TOGETHER, Backlog
from gateway.observe.kinds import Kind, kind_of
from gateway.records import AttemptRecord, CallRecord

pytestmark = pytest.mark.anyio


class Read:
    """What two readers of calls and one of attempts have read. Told to, they fail at a record's id."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.second: list[str] = []
        self.attempts: list[int] = []
        self.bad = ""
        self.changed = asyncio.Event()

    def by_first(self, record: CallRecord, kind: Kind) -> None:
        assert kind is kind_of(record)
        if record.request_id == self.bad:
            raise RuntimeError("a fault")
        self.first.append(record.request_id)

    def by_second(self, record: CallRecord, kind: Kind) -> None:
        self.second.append(record.request_id)
        self.changed.set()

    def attempt(self, record: AttemptRecord) -> None:
        if str(record.number) == self.bad:
            raise RuntimeError("a fault")
        self.attempts.append(record.number)


@pytest.fixture
def read() -> Read:
    return Read()


@pytest.fixture
def backlog(read: Read) -> Backlog:
    return Backlog((read.by_first, read.by_second), read.attempt)


async def test_records_are_read_in_their_order_when_somebody_wants_to_look(
    backlog: Backlog, read: Read, a_call: CallRecord, an_attempt: AttemptRecord
) -> None:
    backlog.attempt(replace(an_attempt, number=1))
    backlog.call(replace(a_call, request_id="a"))
    backlog.attempt(replace(an_attempt, number=2))
    backlog.call(replace(a_call, request_id="b"))

    def look(name: str, *, twice: bool) -> tuple[str, bool, list[str], list[str], list[int]]:
        return name, twice, read.first, read.second, read.attempts

    seen = backlog.before(look)("status", twice=True)

    assert seen == ("status", True, ["a", "b"], ["a", "b"], [1, 2])


async def test_nothing_is_read_twice(backlog: Backlog, read: Read, a_call: CallRecord) -> None:
    backlog.call(a_call)
    backlog.catch_up()
    backlog.catch_up()
    assert len(read.first) == len(read.second) == 1


async def test_a_record_is_read_soon_though_nobody_looks_and_no_other_comes(
    backlog: Backlog, read: Read, a_call: CallRecord
) -> None:
    for name in ("a", "b"):
        backlog.call(replace(a_call, request_id=name))
        async with asyncio.timeout(10):
            await read.changed.wait()
        read.changed.clear()
    assert read.second == ["a", "b"]


async def test_many_records_do_not_wait(
    backlog: Backlog, read: Read, a_call: CallRecord, an_attempt: AttemptRecord
) -> None:
    for _ in range(TOGETHER):
        backlog.call(a_call)
    assert len(read.second) == TOGETHER
    for _ in range(TOGETHER):
        backlog.attempt(an_attempt)
    assert len(read.attempts) == TOGETHER


async def test_closing_has_the_rest_read_and_what_comes_later_at_once(
    backlog: Backlog, read: Read, a_call: CallRecord, an_attempt: AttemptRecord
) -> None:
    backlog.call(replace(a_call, request_id="a"))
    backlog.close()
    assert read.second == ["a"]
    backlog.call(replace(a_call, request_id="b"))
    backlog.attempt(an_attempt)
    assert read.second == ["a", "b"]
    assert read.attempts == [1]


async def test_a_record_that_cannot_be_read_keeps_no_other_from_it(
    backlog: Backlog,
    read: Read,
    a_call: CallRecord,
    an_attempt: AttemptRecord,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("1", "2", "3"):
        backlog.call(replace(a_call, request_id=name))
        backlog.attempt(replace(an_attempt, number=int(name)))
    read.bad = "2"
    backlog.catch_up()

    assert (read.first, read.second, read.attempts) == (["1", "3"], ["1", "2", "3"], [1, 3])
    assert caplog.messages == [
        "the record of an attempt could not be read",
        "the record of a call could not be read",
    ]
