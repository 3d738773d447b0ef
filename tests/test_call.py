"""gateway.call: what is noted of a call on its way is what its record says."""

from msgspec.structs import asdict, fields

from gateway.call import Trail
from gateway.records import CallRecord, CallTrace, TraceContext
from tests import builders


def test_every_note_is_in_the_record_under_its_own_name() -> None:
    trail = builders.trail()
    shared = {field.name for field in fields(Trail)} & {field.name for field in fields(CallRecord)}
    shared.remove("trace")
    for name in shared:
        setattr(trail, name, f"the {name} of this call")

    record = asdict(trail.record(0.25))

    assert record == {name: f"the {name} of this call" for name in shared} | {"seconds": 0.25, "trace": None}


def test_the_record_of_a_traced_call_says_where_it_stands() -> None:
    own = TraceContext("a" * 32, "b" * 16, sampled=True)
    other = TraceContext("c" * 32, "d" * 16, sampled=True)
    trail = builders.trail()
    trail.trace, trail.http_method, trail.linked = own, "POST", other

    assert trail.record(0.25).trace == CallTrace(own, "POST", other)
