"""A call that is the same to the last byte, the third time: its head is known, its reply at hand, and it is
answered where it comes in. To its caller, the metrics and the log it is any other hit."""

import json
from pathlib import Path

from gateway.sandbox.sandbox import Sandbox
from gateway.tokens.redaction import WORTH_KEEPING
from tests.e2e.caller import Caller
from tests.e2e.conftest import GatewayWith, Platform
from tests.e2e.keeping import CACHE, GET, ask, jim, name_jim, rule, said, times_asked
from tests.e2e.scraping import counting, scrape_used
from tests.e2e.test_reload import started
from tests.e2e.waiting import until

ROUNDS = 30
VARYING = ("time", "request_id", "seconds", "upstream_seconds", "queue_seconds")


def test_every_hit_is_like_the_first_one(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(cache=CACHE, methods=rule())
    name_jim(caller, "Jim")
    ask(caller)
    with counting(caller) as changes:
        hits = [ask(caller) for _ in range(5)]
    assert changes.requests == {(GET, "0", "cache"): 5}
    assert changes.of("gateway_cache_lookups_total", "api_method", "result") == {(GET, "hit"): 5}
    assert len({hit.header("request-id") for hit in hits}) == 5
    assert len({(hit.status, hit.body, tuple(name for name, _ in hit.headers)) for hit in hits}) == 1
    assert all(said(hit)[0].startswith("hit; ttl=") for hit in hits)
    assert times_asked(sandbox) == 1


def test_it_is_never_older_than_a_write_that_was_answered(gateway_with: GatewayWith) -> None:
    caller = gateway_with(cache=CACHE, methods=rule())
    for number in range(ROUNDS):
        name_jim(caller, f"Jim {number}")
        assert [jim(ask(caller)) for _ in range(4)] == [f"Jim {number}"] * 4


def test_what_the_caller_wants_of_the_cache_is_heard(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(cache=CACHE, methods=rule())
    name_jim(caller, "Jim")
    for _ in range(3):
        ask(caller)
        assert said(ask(caller, "no-cache"))[0] == "fwd=request; stored"
        assert said(ask(caller, "only-if-cached"))[0].startswith("hit")
    assert times_asked(sandbox) == 4


def test_it_is_refused_to_who_may_not_call(gateway_with: GatewayWith) -> None:
    caller = gateway_with(cache=CACHE, methods=rule())
    for _ in range(3):
        assert ask(caller).status == 200
        refused = caller.json(GET, ("Origin", "http://example.com"), db_id=1)
        assert refused.status == 403


def test_another_configuration_is_asked_anew(platform: Platform, tmp_path: Path) -> None:
    with started(platform, tmp_path, cache=CACHE, methods=rule()) as served:
        name_jim(served.caller, "Jim")
        for _ in range(3):
            ask(served.caller)
        served.taken(cache={"enabled": False})
        assert [said(ask(served.caller))[0] for _ in range(3)] == ["fwd=bypass"] * 3
        served.taken(cache=CACHE, methods={GET: {"allowed": False}})
        assert [ask(served.caller).status for _ in range(3)] == [403] * 3


def test_a_token_that_it_holds_is_masked_from_the_moment_that_it_is_one(
    platform: Platform, tmp_path: Path
) -> None:
    token, later, rest = tmp_path / "reader", "the-token-to-come", "x" * WORTH_KEEPING
    token.write_text("reader-token-of-now")
    tokens = {"reader": {"file": str(token)}}
    with started(platform, tmp_path, cache=CACHE, methods=rule(), tokens=tokens) as served:
        caller: Caller = served.caller
        name_jim(caller, f"{later} {rest}")
        assert [jim(ask(caller)) for _ in range(4)] == [f"{later} {rest}"] * 4
        token.write_text(later)
        of_reader = {"account": "default", "token": "reader"}
        until(
            lambda: scrape_used(caller).value("gateway_token_rotations_total", **of_reader),
            "the token is replaced",
        )
        hits = [ask(caller) for _ in range(3)]
        assert all(said(hit)[0].startswith("hit") for hit in hits)
        assert [jim(hit) for hit in hits] == [f"*** {rest}"] * 3


def test_its_log_line_is_that_of_any_hit(platform: Platform, tmp_path: Path) -> None:
    with started(platform, tmp_path, cache=CACHE, methods=rule(), log={"format": "json"}) as served:
        caller: Caller = served.caller
        name_jim(caller, "Jim")
        for _ in range(5):
            ask(caller)
    lines = [json.loads(line) for line in served.running.log.splitlines()]
    hits = [line for line in lines if line.get("cache") == "hit"]
    assert len(hits) == 4
    assert len({json.dumps({**hit, **dict.fromkeys(VARYING)}) for hit in hits}) == 1
