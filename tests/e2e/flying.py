"""Callers of modifying methods: many at once, and such that leave before they are answered."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller, Header, Reply
from tests.e2e.scraping import scrape_used
from tests.e2e.waiting import until

IMPORT = "profiles/import"
JIM = {"db_id": 1, "email": "jim@example.com", "data": {"_fname": "Jim"}}
JIM_XML = "<xml><email>jim@example.com</email><data><_fname>Jim</_fname></data><db_id>1</db_id></xml>"

DEDUP = {"enabled": True}


@contextmanager
def sent(caller: Caller, api_method: str, *headers: Header, **params: object) -> Iterator[None]:
    """A call whose caller reads nothing, and hangs up at the end of the block."""
    body = json.dumps(params).encode()
    fields = (
        ("Host", caller.authority),
        ("Content-Type", JSON),
        ("Content-Length", str(len(body))),
        *headers,
    )
    lines = [f"POST {caller.base_path}{api_method} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    with caller.connected() as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        yield


def wait_for_calls(caller: Caller, count: int) -> None:
    """Until the gateway has this many calls under way. A small call that is counted has met its flight."""
    until(
        lambda: scrape_used(caller).value("gateway_requests_in_progress") == count, f"{count} calls are there"
    )


@contextmanager
def at_once(
    caller: Caller, sandbox: Sandbox, calls: Sequence[Callable[[], Reply]], besides: int = 0
) -> Iterator[list[Future[Reply]]]:
    """All of these calls, under way together; the platform has to hold the first one, and does so by now.

    `besides` are under way already, whether or not anybody waits for them.
    """
    with ThreadPoolExecutor(len(calls)) as pool:
        replies = [pool.submit(call) for call in calls]
        wait_for_calls(caller, besides + len(calls))
        sandbox.calls.arrived(1).result(PATIENCE)
        yield replies


def ids_of(sandbox: Sandbox, api_method: str = IMPORT) -> list[str | None]:
    """The `Request-ID` of each call that reached the platform, in order."""
    return [call.request_id for call in sandbox.calls.of(api_method)]


def times_run(sandbox: Sandbox, api_method: str = IMPORT) -> int:
    return len(sandbox.calls.executed(api_method))


def role(reply: Reply) -> str | None:
    """Led, joined or replayed, of a call that the platform answered with success."""
    assert (reply.status, reply.error) == (200, 0), reply
    return reply.header("gateway-flight")
