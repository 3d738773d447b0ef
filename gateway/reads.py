"""Reading calls: answered from the cache, from an identical question that is out already, or from the
platform.

`policy.freshness` decides, a store keeps, and this awaits. A question to the platform is a task of its own,
so that one caller's leaving does not take the answer from the others; who waits is woken by its end.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway import errors, presentation
from gateway.account import Account
from gateway.call import Request, Trail
from gateway.catalogue.model import ApiMethod
from gateway.codec.envelope import Envelope
from gateway.errors import CallError
from gateway.letter import Letter
from gateway.offload import Offload
from gateway.policy import freshness, retrying
from gateway.policy.cache_headers import age_header, cache_status
from gateway.policy.freshness import CacheControl, Course, Decision, FreshnessRule, Lifetime
from gateway.policy.tags import TagRule
from gateway.records import CacheResult, Origin, TraceContext
from gateway.stores.cache import CacheEntry, CacheStore, Found, Key, Snapshot, read_tags
from gateway.tasks import TaskOwner
from gateway.tokens.keeper import Token
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Outcome

_FRESH = Course.FRESH
_SEEN: Mapping[Course, tuple[CacheResult, Origin]] = {
    Course.FRESH: ("hit", "cache"),
    Course.REVALIDATE: ("stale", "stale"),
    Course.STALE: ("stale", "stale"),
    Course.STALE_IF_ERROR: ("stale", "stale"),
    Course.FORWARD_MISS: ("miss", "upstream"),
    Course.FORWARD_STALE: ("miss", "upstream"),
    Course.FORWARD_REQUEST: ("miss", "upstream"),
    Course.BYPASS: ("bypass", "upstream"),
}


@dataclass(frozen=True, slots=True)
class ReadRule:
    """What the cache needs to know of a method, made ready once."""

    freshness: FreshnessRule
    tags: TagRule


class _Read(msgspec.Struct, frozen=True, gc=False):
    """One read, with all that asking the platform takes."""

    account: Account
    request: Request
    rule: ReadRule
    token: Token | None
    key: Key
    deadline: float
    trace: TraceContext | None


@dataclass(frozen=True, slots=True)
class _Question:
    """A read that is on its way to the platform."""

    task: "asyncio.Task[tuple[Outcome, bool]]"
    snapshot: Snapshot
    trace: TraceContext | None  # of the call that asks


class Reads:
    """Answers reading calls, for one configuration. Questions that are out are known to it alone."""

    def __init__(
        self, store: CacheStore, owner: TaskOwner, offload: Offload, rules: Mapping[str, ReadRule]
    ) -> None:
        self._store = store
        self._owner = owner
        self._offload = offload
        self._rules = rules
        self._questions: dict[Key, _Question] = {}

    def __repr__(self) -> str:
        return f"<Reads, {len(self._questions)} questions out>"

    async def answer(self, account: Account, request: Request, deadline: float, trail: Trail) -> Reply:
        """The reply, with what the cache had to do with it noted in `trail`. Raises CallError."""
        rule = self._rules[request.method.name]
        token = account.token(request.method)
        key = _key(account, request.method, request.fingerprint, token)
        read = _Read(account, request, rule, token, key, deadline, trail.trace)
        looks = freshness.may_look(rule.freshness, request.cache_control)
        found = await self._store.lookup(key) if looks else None
        decision = _decide(read, found)
        match decision.course:
            case Course.REFUSE:
                trail.cache = "miss"
                raise CallError(
                    errors.NOT_CACHED, "nothing is kept for this call, and only-if-cached was asked"
                )
            case Course.FRESH | Course.STALE | Course.REVALIDATE if found is not None:
                if decision.course is Course.REVALIDATE:
                    await self._refresh(read)
                return _from_cache(found, decision, trail)
            case _:
                return await self._forward(read, decision, trail)

    def at_hand(
        self, account: Account, method: ApiMethod, fingerprint: bytes, control: CacheControl
    ) -> tuple[Reply, Decision] | None:
        """The reply, where a fresh one is in this process; nothing is waited for. Raises CallError."""
        rule = self._rules[method.name].freshness
        if not freshness.may_look(rule, control):
            return None
        found = self._store.at_hand(_key(account, method, fingerprint, account.token(method)))
        if found is None:
            return None
        decision = freshness.decide(rule, control, found.entry.code, found.age)
        return (_kept_reply(found), decision) if decision.course is _FRESH else None

    async def _forward(self, read: _Read, decision: Decision, trail: Trail) -> Reply:
        """Ask the platform, or wait for the one who asks already."""
        question, collapsed = await self._question(read)
        trail.cache, trail.origin = ("collapsed", "joined") if collapsed else _SEEN[decision.course]
        if collapsed:
            trail.linked = question.trace
        outcome, stored, waited = await _end_of(question, read.deadline)
        trail.upstream_seconds = waited
        if not collapsed:
            _note(outcome, trail)
        if outcome.reply is None:
            return await self._instead(read, outcome, trail)
        trail.cache_status = cache_status(decision, stored=stored, collapsed=collapsed)
        return outcome.reply

    async def _instead(self, read: _Read, outcome: Outcome, trail: Trail) -> Reply:
        """What is kept stands in for an answer that did not come, while it may."""
        found = await self._store.lookup(read.key)
        if found is not None:
            decision = freshness.decide_after_failure(
                read.rule.freshness, read.request.cache_control, found.entry.code, found.age
            )
            if decision is not None:
                return _from_cache(found, decision, trail)
        raise presentation.failure(outcome, modifies=False, unknown=False, repeatable=True)

    async def _question(self, read: _Read) -> tuple[_Question, bool]:
        """The question whose answer is good for a call that comes now, and whether it was out already."""
        joins = freshness.may_join(read.request.method, read.request.cache_control)
        while True:
            out = self._questions.get(read.key)
            if joins and out is not None and await self._store.still_valid(out.snapshot):
                return out, True
            snapshot = await self._begin(read)
            # A store may suspend: an identical call may have asked meanwhile, and then that one is joined.
            if not joins or self._questions.get(read.key) is out:
                return self._ask(read, snapshot), False

    async def _refresh(self, read: _Read) -> None:
        """Have a new reply fetched in the background, unless one is on its way."""
        if read.key in self._questions:
            return
        snapshot = await self._begin(read)
        if read.key not in self._questions:
            self._ask(read, snapshot)

    async def _begin(self, read: _Read) -> Snapshot:
        method, own = read.request.method, read.rule.tags.tags(read.request.body_only_fields())
        return await self._store.begin_read(read_tags(read.account.base_url, method.name, own))

    def _ask(self, read: _Read, snapshot: Snapshot) -> _Question:
        """The task outlives its caller, and does not suspend before the platform is asked."""
        task = self._owner.start(self._exchange(read, snapshot), f"read {read.request.method.label}")
        question = _Question(task, snapshot, read.trace)
        if not read.request.cache_control.no_store:
            self._questions[read.key] = question
            task.add_done_callback(lambda _: self._answered(read.key, question))
        return question

    def _answered(self, key: Key, question: _Question) -> None:
        if self._questions.get(key) is question:
            del self._questions[key]

    async def _exchange(self, read: _Read, snapshot: Snapshot) -> tuple[Outcome, bool]:
        """One question: what came of it, and whether it was stored."""
        letter = Letter(read.account, read.request, read.token, "", self._offload, trace=read.trace)
        outgoing = await letter.written()
        outcome = await read.account.sender.send(outgoing, read.deadline, rewrite=letter.rewritten)
        kept = None if outcome.reply is None else _kept(read, outcome.reply)
        if kept is None:
            return outcome, False
        entry, lifetime = kept
        key = _key(read.account, read.request.method, read.request.fingerprint, letter.token)
        return outcome, await self._store.store(key, entry, snapshot, lifetime.kept)


def _key(account: Account, method: ApiMethod, fingerprint: bytes, token: Token | None) -> Key:
    """What a reply is kept under: what another token would be shown is not this one's."""
    mark = "" if token is None else token.secret.mark  # the same in every gateway, unlike an epoch
    return f"{account.name} {account.base_url} {method.token_name} {mark} ".encode() + fingerprint


async def _end_of(question: _Question, deadline: float) -> tuple[Outcome, bool, float]:
    """What came of it, whether it was stored, and the seconds waited: as long as this caller may. The
    question does not care."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout_at(deadline):
            outcome, stored = await asyncio.shield(question.task)
    except TimeoutError:
        waited = loop.time() - began
        late = AttemptError("timeout", written=True, text="the platform did not answer in time")
        return Outcome(failure=late, upstream_seconds=waited), False, waited
    return outcome, stored, loop.time() - began


def _kept(read: _Read, reply: Reply) -> tuple[CacheEntry, Lifetime] | None:
    """What is stored of the platform's reply, and for how long; None: nothing.

    A status that says "later" makes no reply worth keeping, whatever its body says.
    """
    code, rule = reply.envelope.code, read.rule.freshness
    lifetime = rule.lifetime(code)
    if code is None or lifetime is None or not freshness.may_keep(rule, read.request.cache_control):
        return None
    if reply.format is None or retrying.of_status(reply.status) is not None:
        return None
    return CacheEntry(code, reply.status, reply.content_type, reply.body, reply.format), lifetime


def _decide(read: _Read, found: Found | None) -> Decision:
    code, age = (None, 0.0) if found is None else (found.entry.code, found.age)
    return freshness.decide(read.rule.freshness, read.request.cache_control, code, age)


def note_kept(decision: Decision, trail: Trail) -> None:
    """The answer is one that was kept."""
    trail.cache, trail.origin = _SEEN[decision.course]
    trail.cache_status, trail.age = cache_status(decision), age_header(decision)


def _from_cache(found: Found, decision: Decision, trail: Trail) -> Reply:
    note_kept(decision, trail)
    return _kept_reply(found)


def _kept_reply(found: Found) -> Reply:
    entry = found.entry
    return Reply(
        entry.status,
        entry.content_type,
        entry.body,
        entry.format,
        Envelope(code=entry.code, is_object=True),
        duplicate=False,
        retry_after=None,
    )


def _note(outcome: Outcome, trail: Trail) -> None:
    trail.attempts = outcome.attempts
    trail.queue_seconds = outcome.queue_seconds
    trail.upstream_seconds = outcome.upstream_seconds
