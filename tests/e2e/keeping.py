"""Callers of a read that is kept: one profile, and what the gateway says of each answer."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import Caller, Header, Reply
from tests.e2e.flying import IMPORT

GET = "profiles/get"
JIM = {"db_id": 1, "matching": "email", "email": "jim@example.com"}
JIM_XML = "<xml><email>jim@example.com</email><matching>email</matching><db_id>1</db_id></xml>"

CACHE = {"enabled": True, "stale_if_error": "0s"}
FRESH = "60s"


def rule(**times: object) -> dict[str, Any]:
    """The setting `methods` with which `profiles/get` is kept for a minute, unless `times` say otherwise."""
    return {GET: {"ttl": FRESH, **times}}


def name_jim(caller: Caller, name: str, *headers: Header) -> Reply:
    """Have Jim's first name set; the platform has to have done it."""
    reply = caller.json(IMPORT, *headers, db_id=1, email="jim@example.com", data={"_fname": name})
    assert reply.error == 0, reply
    return reply


def ask(caller: Caller, *control: str) -> Reply:
    """Who is Jim? `control` are directives of `Cache-Control`."""
    headers = [("Cache-Control", ", ".join(control))] if control else []
    return caller.json(GET, *headers, **JIM)


@contextmanager
def asking(caller: Caller, *control: str) -> Iterator[Future[Reply]]:
    """The same, while the block goes on."""
    with ThreadPoolExecutor(1) as other:
        yield other.submit(ask, caller, *control)


def jim(reply: Reply) -> str:
    """Jim's first name, as this answer has it."""
    assert (reply.status, reply.error) == (200, 0), reply
    if reply.is_xml:
        return reply.xml().findtext("data/_fname", "")
    name = reply.json()["data"]["_fname"]
    assert isinstance(name, str)
    return name


def said(reply: Reply) -> tuple[str, str | None]:
    """What the answer says of the cache: `Cache-Status` without the gateway's name, and `Age`."""
    name, _, status = (reply.header("cache-status") or "").partition("; ")
    assert name == "gateway"
    return status, reply.header("age")


def times_asked(sandbox: Sandbox) -> int:
    return len(sandbox.calls.of(GET))
