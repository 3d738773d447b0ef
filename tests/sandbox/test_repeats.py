"""Repeated requests, case by case against the platform's page "Deduplication of requests"."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.sandbox.calls import Fate, Incoming
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.repeats import DAY, Generation, Repeats, checksum
from gateway.sandbox.replies import Answer, Outcome, Raw, Reply, Reset
from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.tokens import Token, sample_tokens

pytestmark = pytest.mark.anyio

ADD = "profiles/add"  # has a checksum
ACCRUE = "suppresses/email_add"  # modifies, and has none
PERSON = {"db_id": 1, "data": {"email": "new@example.com"}}
STOP = {"id": 1, "email": "new@example.com"}
ONE_CUSTOMER = {"db_id": 1, "email": "customer1@example.com"}
SENT: dict[str, Any] = {
    ADD: PERSON,
    ACCRUE: STOP,
    "profiles/get": ONE_CUSTOMER,
    "profiles/update": {**ONE_CUSTOMER, "data": {"visits": {"action": "incr", "value": 1}}},
    "campaigns/triggers/start": {"id": 1, "email": "customer1@example.com"},
    "workflows/start": {"id": 1, **ONE_CUSTOMER},
    "campaigns/activate": {"id": 2},
    "profiles/get_all": {"source_type": "database", "source_id": 1},
}


def incoming(
    api_method: str, *headers: tuple[str, str], token: str = "sandbox", target: str = "", **more: Any
) -> Incoming:
    params = SENT.get(api_method, {})
    body = {"token": token, **params, **more}
    return Incoming(
        api_method=api_method,
        target=(target or f"/api/v1.1/{api_method}").encode(),
        query=(),
        headers=(("content-type", "application/json"), *headers),
        body=json.dumps(body).encode(),
        origin="http://x",
    )


async def answers(sandbox: Sandbox, *calls: Incoming) -> list[Answer]:
    got = [await sandbox.call(call) for call in calls]
    assert all(isinstance(answer, Answer) for answer in got)
    return [answer for answer in got if isinstance(answer, Answer)]


def is_marked(answer: Answer) -> bool:
    return ("Duplicate-Request", "true") in answer.headers


ID = ("request-id", "r1")
LAUNCHES = [
    ("campaigns/triggers/start", "a message"),
    ("workflows/start", "a scenario"),
    ("campaigns/activate", "an activation"),
    ("profiles/get_all", "a task"),
]


@pytest.mark.parametrize(
    ("first", "second", "runs"),
    [
        pytest.param(incoming(ADD, ID), incoming(ADD, ID), 1, id="the same id, a method with a checksum"),
        pytest.param(incoming(ACCRUE, ID), incoming(ACCRUE, ID), 1, id="the same id, a method without one"),
        pytest.param(incoming(ACCRUE), incoming(ACCRUE), 2, id="no id and no checksum: nothing is checked"),
        pytest.param(incoming(ADD), incoming(ADD), 1, id="no id: the checksum"),
        pytest.param(
            incoming(ADD, ID), incoming(ADD, ("request-id", "r2")), 2, id="a new id for the same data"
        ),
        pytest.param(incoming(ADD, ID), incoming(ADD, ID, extra=1), 1, id="the id counts, not the body"),
        pytest.param(incoming(ADD), incoming(ADD, extra=1), 2, id="a changed body"),
        pytest.param(
            incoming(ADD), incoming(ADD, target=f"/api/v1.1/{ADD}?request_id=5"), 2, id="a changed address"
        ),
        pytest.param(
            incoming(ADD),
            incoming(ADD, ("x-request-start", "1")),
            2,
            id="a client that adds headers of its own",
        ),
        pytest.param(
            incoming(ADD), incoming(ADD, ("connection", "close")), 1, id="the connection is not the request"
        ),
        pytest.param(
            incoming(ADD, ID), incoming(ADD, ID, token="second"), 2, id="the same id under another token"
        ),
        pytest.param(incoming(ADD), incoming(ADD, token="second"), 2, id="the same data under another token"),
        pytest.param(
            incoming(ADD),
            replace(incoming(ADD), body=json.dumps(json.loads(incoming(ADD).body), indent=1).encode()),
            2,
            id="the same data spelt otherwise",
        ),
        pytest.param(
            incoming(ADD, ID),
            incoming(ADD, ID, target=f"/api/v1.1/{ADD}?request_id=5"),
            1,
            id="the id counts, not the address",
        ),
        pytest.param(
            incoming("profiles/update"),
            incoming("profiles/update"),
            1,
            id="two honest increments without ids are taken for one",
        ),
        pytest.param(
            incoming("profiles/update", ID),
            incoming("profiles/update", ("request-id", "r2")),
            2,
            id="two honest increments with ids of their own",
        ),
        *(
            pytest.param(incoming(method, ID), incoming(method, ID), 1, id=f"{what}, with an id")
            for method, what in LAUNCHES
        ),
        *(
            pytest.param(incoming(method), incoming(method), 2, id=f"{what}, without an id")
            for method, what in LAUNCHES
        ),
        pytest.param(incoming(ADD), incoming(ADD, ID), 2, id="an id for data sent without one"),
        pytest.param(
            incoming("profiles/get", ID), incoming("profiles/get", ID), 2, id="reads are never repeats"
        ),
        pytest.param(
            incoming(ADD, ("x-request-id", "r1")),
            incoming(ADD, ("x-request-id", "r1"), extra=1),
            2,
            id="the older header means nothing to the newer platform",
        ),
    ],
)
async def test_what_is_a_repeat(first: Incoming, second: Incoming, runs: int) -> None:
    sandbox = Sandbox(sample_tokens("sandbox", "second"))
    one, two = await answers(sandbox, first, second)
    fates = [call.fate for call in sandbox.calls]
    assert fates == [Fate.EXECUTED, Fate.EXECUTED if runs == 2 else Fate.REPLAYED]
    assert not is_marked(one)
    assert is_marked(two) is (runs == 1)


async def test_a_repeat_gets_the_same_answer_and_the_key(sandbox: Sandbox) -> None:
    one, two = await answers(sandbox, incoming(ADD, ID), incoming(ADD, ID))
    assert (two.status, two.body) == (one.status, one.body)
    assert dict(two.headers)["Duplicate-Key"] == "r1:full-1"
    assert len(sandbox.state.databases[1].profiles) == 54


async def test_without_an_id_the_key_is_the_checksum(sandbox: Sandbox) -> None:
    _, two = await answers(sandbox, incoming(ADD), incoming(ADD))
    first, second = sandbox.calls
    assert dict(two.headers)["Duplicate-Key"] == first.checksum == second.checksum


async def test_a_repeat_gets_the_answer_in_the_format_of_the_first(sandbox: Sandbox) -> None:
    one, two = await answers(sandbox, incoming(ADD, ID, format="xml"), incoming(ADD, ID, format="json"))
    assert two.body == one.body
    assert dict(two.headers)["content-type"] == "application/xml; charset=utf-8"


async def test_an_increment_sent_again_is_added_once(sandbox: Sandbox) -> None:
    (person,) = sandbox.state.databases[1].profiles.with_field("email", "customer1@example.com")
    visits = person.fields["visits"]
    assert isinstance(visits, int)
    await answers(sandbox, *[incoming("profiles/update", ID)] * 3)
    assert sandbox.state.databases[1].profiles[person.id].fields["visits"] == visits + 1


async def test_the_key_names_the_token_but_does_not_hold_it() -> None:
    sandbox = Sandbox([Token("app", "secret-value")])
    _, two = await answers(sandbox, *[incoming(ADD, ID, token="secret-value")] * 2)
    assert "secret-value" not in str(two.headers)


async def test_the_first_answer_is_kept_also_when_it_is_an_error(sandbox: Sandbox) -> None:
    call = incoming("profiles/add", ID, db_id=3)
    one, two = await answers(sandbox, call, call)
    assert json.loads(one.body)["error"] == json.loads(two.body)["error"] == 402
    assert is_marked(two)


@pytest.mark.parametrize("token", ["nobody", "sandbox-reader"], ids=["401", "403"])
async def test_an_answer_without_the_method_is_not_kept(sandbox: Sandbox, token: str) -> None:
    await answers(sandbox, incoming(ADD, ID, token=token))
    (then,) = await answers(sandbox, incoming(ADD, ID))
    assert json.loads(then.body)["error"] == 0
    assert not is_marked(then)


@pytest.mark.parametrize(("seconds", "runs"), [(DAY - 1, 1), (DAY + 1, 2)], ids=["within", "after"])
async def test_the_window_is_a_day_from_the_first(seconds: float, runs: int) -> None:
    now = 0.0
    sandbox = Sandbox(clock=lambda: now)
    await answers(sandbox, incoming(ADD, ID))
    now = DAY / 2
    await answers(sandbox, incoming(ADD, ID))
    now = seconds
    await answers(sandbox, incoming(ADD, ID))
    assert len(sandbox.calls.executed(ADD)) == runs


async def test_the_window_is_a_setting() -> None:
    now = 0.0
    sandbox = Sandbox(options=Options(window=10.0), clock=lambda: now)
    await answers(sandbox, incoming(ADD, ID))
    now = 11.0
    await answers(sandbox, incoming(ADD, ID))
    assert len(sandbox.calls.executed(ADD)) == 2


async def test_the_older_platform_has_other_header_names() -> None:
    sandbox = Sandbox(options=Options(repeats=Generation.OLDER))
    call = incoming(ACCRUE, ("x-request-id", "r1"))
    _, two = await answers(sandbox, call, call)
    assert ("X-Duplicate-Request", "true") in two.headers
    assert dict(two.headers)["X-Duplicate-Key"] == "r1:full-1"


async def test_the_newer_header_means_nothing_to_the_older_platform() -> None:
    sandbox = Sandbox(options=Options(repeats=Generation.OLDER))
    await answers(sandbox, incoming(ACCRUE, ID), incoming(ACCRUE, ID))
    assert len(sandbox.calls.executed(ACCRUE)) == 2


async def test_the_older_platform_knows_the_checksum_too() -> None:
    """Its text says that same headers and same data make a repeat."""
    sandbox = Sandbox(options=Options(repeats=Generation.OLDER))
    _, two = await answers(sandbox, incoming(ADD), incoming(ADD))
    assert ("X-Duplicate-Request", "true") in two.headers
    assert len(sandbox.calls.executed(ADD)) == 1


@pytest.mark.parametrize("headers", [(ID,), ()], ids=["with an id", "by the checksum"])
async def test_switched_off_everything_runs(headers: tuple[tuple[str, str], ...]) -> None:
    sandbox = Sandbox(options=Options(repeats=Generation.OFF))
    answered = await answers(sandbox, incoming(ADD, *headers), incoming(ADD, *headers))
    assert len(sandbox.calls.executed(ADD)) == 2
    assert not any(is_marked(answer) for answer in answered)


async def _both(sandbox: Sandbox, release: bool) -> tuple[Outcome, Outcome]:
    """Two equal calls of which the first is stalled before its method runs."""
    sandbox.faults.add(Fault(Kind.STALL, when=When.BEFORE))
    first = asyncio.create_task(sandbox.call(incoming(ADD, ID)))
    await asyncio.wrap_future(sandbox.calls.arrived(1))
    second = asyncio.create_task(sandbox.call(incoming(ADD, ID)))
    await asyncio.wrap_future(sandbox.calls.arrived(2))
    assert not second.done()
    if release:
        sandbox.faults.release()
    else:
        sandbox.faults.clear()
    return await first, await second


async def test_a_repeat_waits_for_the_first_that_still_runs(sandbox: Sandbox) -> None:
    first, second = await _both(sandbox, release=True)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.body == second.body
    assert is_marked(second)
    assert len(sandbox.calls.executed(ADD)) == 1


async def test_a_repeat_runs_when_the_first_never_did(sandbox: Sandbox) -> None:
    first, second = await _both(sandbox, release=False)
    assert first == Reset()
    assert isinstance(second, Answer)
    assert not is_marked(second)
    assert [call.fate for call in sandbox.calls] == [Fate.DROPPED, Fate.EXECUTED]


async def test_a_repeat_after_a_lost_answer_does_not_run_again(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.RESET, when=When.AFTER))
    assert await sandbox.call(incoming(ADD, ID)) == Reset()
    (again,) = await answers(sandbox, incoming(ADD, ID))
    assert is_marked(again)
    assert len(sandbox.calls.executed(ADD)) == 1


async def test_a_broken_answer_to_a_repeat_is_still_marked(sandbox: Sandbox) -> None:
    await answers(sandbox, incoming(ADD, ID))
    sandbox.faults.add(Fault(Kind.TOO_SHORT))
    again = await sandbox.call(incoming(ADD, ID))
    assert isinstance(again, Raw)
    assert b"Duplicate-Request: true\r\n" in again.data


async def test_nothing_is_remembered_of_turns_without_a_reply() -> None:
    repeats = Repeats(clock=lambda: 0.0)
    async with repeats.turn("k"):
        pass
    async with repeats.turn("k") as turn:
        assert turn.kept is None
        turn.kept = Reply({"error": 0})
    async with repeats.turn("k") as turn:
        assert turn.kept == Reply({"error": 0})


def test_the_order_of_headers_does_not_change_a_checksum() -> None:
    one, two = ("a", "1"), ("b", "2")
    assert checksum(b"/", [one, two], b"x") == checksum(b"/", [two, one], b"x")
    assert checksum(b"/", [one, two], b"x") != checksum(b"/", [one], b"x")
    assert checksum(b"/", [], b"x") != checksum(b"/", [], b"y")
