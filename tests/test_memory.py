"""What a refused call leaves behind: nothing, without the garbage collector's help."""

import gc
from typing import cast

import pytest

from gateway import errors
from gateway.catalogue.model import Catalogue
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.dataplane import CallRules, DataPlane
from gateway.exchange import Exchange
from gateway.head import Head
from gateway.identity import id_maker
from gateway.intake import Intake
from gateway.pipeline import Pipeline
from gateway.presentation import Presentation
from gateway.reads import Reads
from gateway.records import CallRecord
from gateway.room import Room
from gateway.routing import MethodPolicy, Router
from gateway.tasks import Users
from gateway.upstream.client import AttemptError
from gateway.upstream.sender import Outcome
from gateway.writes import Writes
from tests.builders import OFFLOAD, Unconnected

pytestmark = pytest.mark.anyio


def test_an_outcome_that_holds_an_exception_is_seen_by_the_collector() -> None:
    assert gc.is_tracked(Outcome(failure=AttemptError("connect", written=False, text="x")))
    assert gc.is_tracked(Outcome(failure=errors.CallError(errors.OVERLOADED, "x")))


async def test_a_refused_call_leaves_no_error_behind() -> None:
    limits, offload = BodyLimits(64, 1000), OFFLOAD
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
        room=Room(100, patience=1.0),
        body_bytes=100,
        xml_bytes=100,
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
        headers = {b"host": b"localhost", b"content-type": b"application/json"}
        exchange = Exchange(
            Unconnected(), Head("POST", b"/api/profiles/get", b"", "1.1", headers, True, 1, False)
        )
        exchange.feed(b"{")
        exchange.end()
        await plane.serve(exchange)
        assert records[0].error == "bad-request"
        left = [one for one in gc.get_objects() if isinstance(one, errors.CallError)]
        assert not [one for one in left if one.kind is errors.BAD_REQUEST]  # others are other tests' own
    finally:
        gc.enable()
