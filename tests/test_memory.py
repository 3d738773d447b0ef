"""What a refused call leaves behind: nothing, without the garbage collector's help."""

import gc
from collections.abc import Mapping
from typing import cast

import pytest
from starlette.types import Message, Scope

from gateway import errors
from gateway.catalogue.model import Catalogue
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.dataplane import CallRules, DataPlane
from gateway.identity import id_maker
from gateway.intake import Intake
from gateway.offload import Offload
from gateway.pipeline import Pipeline
from gateway.presentation import Presentation
from gateway.reads import Reads
from gateway.records import CallRecord
from gateway.routing import MethodPolicy, Router
from gateway.tasks import Users
from gateway.upstream.client import AttemptError
from gateway.upstream.sender import Outcome
from gateway.writes import Writes

pytestmark = pytest.mark.anyio


def test_an_outcome_that_holds_an_exception_is_seen_by_the_collector() -> None:
    assert gc.is_tracked(Outcome(failure=AttemptError("connect", written=False, text="x")))
    assert gc.is_tracked(Outcome(failure=errors.CallError(errors.OVERLOADED, "x")))


async def test_a_refused_call_leaves_no_error_behind() -> None:
    limits, offload = BodyLimits(64, 1000), Offload()
    pipeline = Pipeline(
        intake=Intake(limits, Format.JSON, offload),
        accounts={},
        writes=cast(Writes, None),  # the call does not come so far
        reads=cast(Reads, None),
        presentation=Presentation(limits, offload, lambda data: data),
        total_timeout=1.0,
    )
    rules = CallRules(
        router=Router({"default": "/api"}, Catalogue({})),
        policy=MethodPolicy(True, ()),
        pipeline=pipeline,
        allowed_hosts=frozenset({"localhost"}),
        body_bytes=100,
        xml_bytes=100,
        body_timeout=1.0,
        caller_header=b"gateway-caller",
        known_callers=frozenset(),
        users=Users(),
    )
    records: list[CallRecord] = []
    plane = DataPlane(
        rules,
        observe=records.append,
        clock=lambda: 0.0,
        wall_clock=lambda: 0.0,
        new_id=id_maker(lambda: 0.0, lambda size: b"x" * size),
    )
    gc.collect()
    gc.disable()
    try:
        await plane(scope({b"host": b"localhost", b"content-type": b"application/json"}), malformed, ignore)
        assert records[0].error == "bad-request"
        assert not [one for one in gc.get_objects() if isinstance(one, errors.CallError)]
    finally:
        gc.enable()


async def malformed() -> Message:
    return {"type": "http.request", "body": b"{", "more_body": False}


async def ignore(_: Message) -> None:
    return None


def scope(headers: Mapping[bytes, bytes]) -> Scope:
    return {
        "type": "http",
        "method": "POST",
        "raw_path": b"/api/profiles/get",
        "query_string": b"",
        "headers": list(headers.items()),
        "server": ("127.0.0.1", 1),
    }
