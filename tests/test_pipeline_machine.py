"""Reads and writes of several callers in any order, with delays, failures, lost answers and changes that
nobody told the gateway of: through the whole pipeline, against a dictionary.

The dictionary is the platform: one value for each database, and how long each value was true. Every write
sets a value of its own. Two promises are under test, and both are stated with nothing but these values:

- no answer shows a value older than that of a write which had ended when the answer was asked for;
- no answer is older than its `Cache-Status` allows.
"""

import asyncio
import dataclasses
import itertools
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.call import Answer, Call, Trail
from gateway.catalogue import loading
from gateway.codec.negotiation import Format
from gateway.errors import CallError
from gateway.flights import Flights
from gateway.intake import Intake
from gateway.pipeline import Pipeline
from gateway.policy.flight import Windows
from gateway.policy.freshness import FreshnessRule, Lifetime
from gateway.policy.tags import TagRule
from gateway.presentation import Presentation
from gateway.reads import ReadRule, Reads
from gateway.routing import Target
from gateway.stores.memory_cache import MemoryCache
from gateway.stores.memory_flights import MemoryFlights
from gateway.tasks import TaskOwner
from gateway.tokens.keeper import TokenKeeper
from gateway.tokens.sources import EnvSource
from gateway.upstream.reply import answer_size
from gateway.writes import WriteRules, Writes
from tests import byhand
from tests.builders import OFFLOAD
from tests.byhand import Attempt, Platform
from tests.skipping import SkippingLoop, all_is_done

CATALOGUE = loading.load()
READ = dataclasses.replace(CATALOGUE.methods["profiles/get"], ttl=None)
WRITE = CATALOGUE.methods["profiles/import"]
DATABASES = (1, 1, 1, 2)
ACCOUNTS = ("default", "partner")
TTL, STALE_WHILE_REVALIDATE, STALE_IF_ERROR, SETTLE = 60.0, 30.0, 120.0, 20.0
TOTAL_TIMEOUT = 40.0
EMAIL = "jim@example.com"

T = TypeVar("T")

databases, accounts = st.sampled_from(DATABASES), st.sampled_from(ACCOUNTS)
wishes = st.sampled_from([b"", b"", b"", b"no-cache", b"no-store"])
some = st.integers(0, 5)


@dataclass(eq=False)
class Spell:
    """A value of a database, and until when it was true."""

    value: int
    until: float = float("inf")


@dataclass(eq=False)
class Asking:
    """A call that has not been answered."""

    task: "asyncio.Task[Answer]"
    trail: Trail
    database: int
    asked_at: float
    not_before: int  # reads: the place in the history of the newest value whose write had ended
    value: int = 0  # writes: what it sets


@dataclass
class Loose:
    """A write whose answer was lost, and which the platform may run until `until`."""

    attempt: Attempt
    until: float


@dataclass
class Truth:
    """The dictionary. Each database has a history; its last value is true."""

    history: dict[int, list[Spell]] = field(default_factory=lambda: {db: [Spell(0)] for db in DATABASES})
    ended: dict[int, int] = field(default_factory=lambda: dict.fromkeys(DATABASES, 0))

    def set(self, database: int, value: int, now: float) -> None:
        self.history[database][-1].until = now
        self.history[database].append(Spell(value))

    def value(self, database: int) -> int:
        return self.history[database][-1].value

    def place(self, database: int, value: int) -> int:
        (place,) = [at for at, spell in enumerate(self.history[database]) if spell.value == value]
        return place

    def write_ended(self, database: int, value: int) -> None:
        """From now on nobody may be shown what was before."""
        self.ended[database] = max(self.ended[database], self.place(database, value))


class PipelineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=SkippingLoop)
        self.truth = Truth()
        self.values = itertools.count(1)
        self.ids = itertools.count()  # of calls, as the data plane gives them
        self.reads: list[Asking] = []
        self.writes: list[Asking] = []
        self.seen: dict[Attempt, int] = {}  # what the platform saw for a read, once it looked
        self.ran: set[str] = set()  # the Request-IDs of the writes that it will not run any more
        self.loose: list[Loose] = []
        self.changed_outside = float("-inf")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, and then all that goes on without time."""

        async def whole() -> T:
            done = await work
            await all_is_done()
            return done

        return self.runner.run(whole())

    @property
    def now(self) -> float:
        return self.runner.get_loop().time()

    @initialize(kept=st.sampled_from([True, True, True, False]), attempts=st.sampled_from([1, 2]))
    def open(self, kept: bool, attempts: int) -> None:
        lifetime = Lifetime(TTL if kept else 0.0, STALE_WHILE_REVALIDATE, STALE_IF_ERROR)
        self.platform = Platform()
        self.owner = TaskOwner()
        self.guards = byhand.guards(attempts=attempts, backoff=1.0)
        self.pipeline = self.run(self._pipeline(lifetime))

    async def _pipeline(self, lifetime: Lifetime) -> Pipeline:
        clock = asyncio.get_running_loop().time
        cache, offload, windows = MemoryCache(2**20, clock), OFFLOAD, Windows(300.0, 3600.0, 3600.0)
        rules = {READ.name: ReadRule(FreshnessRule.of(READ, lifetime), TagRule.of(READ))}
        return Pipeline(
            intake=Intake(byhand.LIMITS, Format.JSON, offload),
            accounts={
                name: byhand.account(
                    self.platform, {"default": await _token(name)}, name=name, of=self.guards
                )
                for name in ACCOUNTS
            },
            writes=Writes(
                flights=Flights(
                    MemoryFlights(2**20, windows, clock, answer_size), self.owner, windows, clock
                ),
                cache=cache,
                offload=offload,
                rules=WriteRules(dedup=True, lease=2 * TOTAL_TIMEOUT, settle=SETTLE),
                tag_rules={WRITE.name: TagRule.of(WRITE)},
                flight_ended=lambda *_: None,
            ),
            reads=Reads(cache, self.owner, offload, rules),
            presentation=Presentation(byhand.LIMITS, offload, lambda data: data),
            total_timeout=TOTAL_TIMEOUT,
        )

    # What callers do.

    @rule(database=databases, account=accounts, body_format=st.sampled_from(Format), wish=wishes)
    def ask(self, database: int, account: str, body_format: Format, wish: bytes) -> None:
        self.reads.append(self._calling(READ.name, account, body_format, wish, database))

    @rule(database=databases, account=accounts)
    def ask_and_be_answered(self, database: int, account: str) -> None:
        before = self.platform.waiting
        self.ask(database, account, Format.JSON, b"")
        for attempt in self.platform.waiting:
            if attempt not in before:
                self._answer(attempt)

    @rule(database=databases, account=accounts)
    def write(self, database: int, account: str) -> None:
        value = next(self.values)
        self.writes.append(self._calling(WRITE.name, account, Format.JSON, b"", database, value))

    @rule(which=some)
    def leave(self, which: int) -> None:
        if self.reads:
            asking = self.reads.pop(which % len(self.reads))
            asking.task.cancel()
            self.run(asyncio.wait([asking.task]))

    def _calling(
        self, name: str, account: str, body_format: Format, wish: bytes, database: int, value: int = 0
    ) -> Asking:
        params: dict[str, Any] = {"db_id": database, "email": EMAIL}
        if value:
            params["data"] = {"_custom": value}
        body = json.dumps(params).encode()
        if body_format is Format.XML:
            body = b"<xml><email>%s</email><db_id>%d</db_id></xml>" % (EMAIL.encode(), database)
        method = WRITE if value else READ
        headers = {b"content-type": body_format.content_type.encode(), b"accept": b"application/json"}
        if wish:
            headers[b"cache-control"] = wish
        intake = self.pipeline.intake
        asked = intake.reply_format(headers, b"")
        call = Call(intake.head(Target(account, method, name), b"", headers, None, asked), body)

        async def start() -> Asking:
            trail = Trail(time=0.0, started=self.now, request_id=f"id-{next(self.ids)}")
            task = asyncio.get_running_loop().create_task(self.pipeline.answer(call, trail))
            return Asking(task, trail, database, self.now, self.truth.ended[database], value)

        return self.run(start())

    # What the platform does.

    @rule(which=some)
    def platform_runs(self, which: int) -> None:
        """It looks at what it has or changes it, and keeps its answer back."""
        running = self.platform.waiting + [loose.attempt for loose in self.loose]
        if running:
            self._run(running[which % len(running)])

    @rule(which=some)
    def platform_answers(self, which: int) -> None:
        if attempt := self._some_waiting(which):
            self._answer(attempt)

    @rule(which=some)
    def platform_breaks_off(self, which: int) -> None:
        if attempt := self._some_waiting(which):
            if _sets(attempt):
                self.loose.append(Loose(attempt, self.now + SETTLE))
            self._end(attempt.break_off)

    @rule(which=some, refuses=st.booleans())
    def platform_does_not_run(self, which: int, refuses: bool) -> None:
        """The connection is refused, or the answer is an error."""
        attempt = self._some_waiting(which)
        if attempt is None or attempt in self.seen or (_sets(attempt) and _request_id(attempt) in self.ran):
            return
        if refuses:
            self._end(lambda: attempt.break_off("connect", written=False))
            return
        if _sets(attempt):
            self.ran.add(_request_id(attempt))
        self._end(lambda: attempt.answer(error=500))

    @rule(database=databases)
    def somebody_else_writes(self, database: int) -> None:
        """Past the gateway: only time tells."""
        self.truth.set(database, next(self.values), self.now)
        self.changed_outside = self.now

    @rule(seconds=st.sampled_from([0.5, 5.0, 15.0, 30.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        for attempt in self.platform.waiting:
            if _sets(attempt) and attempt.deadline <= self.now + seconds:
                # It times out on the way, and the platform may run it for a while longer.
                self.loose.append(Loose(attempt, attempt.deadline + SETTLE))
        self.run(asyncio.sleep(seconds))
        for loose in [loose for loose in self.loose if loose.until <= self.now]:
            self.loose.remove(loose)
            value = _sets(loose.attempt)
            if value and any(spell.value == value for spell in self.truth.history[_database(loose.attempt)]):
                self.truth.write_ended(_database(loose.attempt), value)

    def _some_waiting(self, which: int) -> Attempt | None:
        waiting = self.platform.waiting
        return waiting[which % len(waiting)] if waiting else None

    def _run(self, attempt: Attempt) -> None:
        value, database = _sets(attempt), _database(attempt)
        if not value:
            self.seen.setdefault(attempt, self.truth.value(database))
        elif _request_id(attempt) not in self.ran:
            self.ran.add(_request_id(attempt))
            self.truth.set(database, value, self.now)

    def _answer(self, attempt: Attempt) -> None:
        self._run(attempt)
        self._end(lambda: attempt.answer(value=self.seen.get(attempt, "done")))

    def _end(self, end: Callable[[], None]) -> None:
        async def ended() -> None:
            end()

        self.run(ended())

    # What must hold.

    @invariant()
    def answers_are_good(self) -> None:
        for asking in [asking for asking in self.writes if asking.task.done()]:
            self.writes.remove(asking)
            told = _told(asking)
            if told is not None and told["error"] == 0:
                self.truth.write_ended(asking.database, asking.value)
        for asking in [asking for asking in self.reads if asking.task.done()]:
            self.reads.remove(asking)
            told = _told(asking)
            if told is not None and told["error"] == 0:
                self._check(asking, told["value"])

    def _check(self, asking: Asking, value: int) -> None:
        place = self.truth.place(asking.database, value)
        assert place >= asking.not_before, f"{value} is older than a write that had ended"
        was_true_until = self.truth.history[asking.database][place].until
        assert was_true_until > self.now - _allowed(asking.trail, self.now - asking.asked_at)

    @rule(database=databases)
    def when_nothing_goes_on_a_read_shows_the_truth(self, database: int) -> None:
        goes_on = self.platform.waiting or self.writes or self.loose
        if goes_on or self.now < self.changed_outside + TTL + STALE_IF_ERROR:
            return
        asking = self._calling(READ.name, "default", Format.JSON, b"", database)
        while not asking.task.done():
            for attempt in self.platform.waiting:
                self._answer(attempt)
            self.time_passes(1.0)  # it may have joined a question that waits before its next attempt
        told = _told(asking)
        assert told is not None
        assert told["value"] == self.truth.value(database)

    def teardown(self) -> None:
        """Nothing is left of any call."""
        if hasattr(self, "pipeline"):
            while self.platform.waiting or any(not each.task.done() for each in self.reads + self.writes):
                self.time_passes(TOTAL_TIMEOUT)
            self.run(self.owner.finish(None))
            self.answers_are_good()
            assert len(self.owner) == 0
            assert (self.guards.admission.running, self.guards.admission.queued) == (0, 0)
            assert repr(self.pipeline.reads) == "<Reads, 0 questions out>"
        self.runner.close()


async def _token(account: str) -> TokenKeeper:
    keeper = TokenKeeper(
        EnvSource("TOKEN", {"TOKEN": f"token-of-{account}"}),
        account=account,
        name="default",
        clock=lambda: 0.0,
        on_change=lambda _: None,
    )
    await keeper.start()
    return keeper


def _told(asking: Asking) -> dict[str, Any] | None:
    """What the caller was told; None for an error of the gateway's own."""
    error = asking.task.exception()
    if error is not None:
        assert isinstance(error, CallError)
        return None
    found = json.loads(asking.task.result().body)
    assert isinstance(found, dict)
    return found


def _allowed(trail: Trail, waited: float) -> float:
    """How long ago the answer may have ceased to be true."""
    status = trail.cache_status.decode()
    if "stale-if-error" in status:
        return TTL + STALE_IF_ERROR
    if "stale-while-revalidate" in status:
        return TTL + STALE_WHILE_REVALIDATE
    if "hit" in status:
        return TTL
    # Asked for this call, or for one that joined at most a whole call's time before.
    return TOTAL_TIMEOUT + waited if "collapsed" in status else waited + 1e-6


def _sets(attempt: Attempt) -> int:
    """The value that a write sets; 0 for a read."""
    value = attempt.params.get("data", {}).get("_custom", 0)
    assert isinstance(value, int)
    return value


def _database(attempt: Attempt) -> int:
    database = attempt.params["db_id"]
    assert isinstance(database, int)
    return database


def _request_id(attempt: Attempt) -> str:
    (line,) = [line for line in attempt.head.split(b"\r\n") if line.startswith(b"Request-ID: ")]
    return line.decode()


TestPipelineMachine = PipelineMachine.TestCase
TestPipelineMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
