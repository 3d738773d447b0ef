"""bench.goals: what a run is held to."""

from bench.cases import CACHED_READ, JSON_WRITE, ONE_CALLER, Case
from bench.goals import GOALS
from bench.load import Tally
from bench.measure import Figures, Sample
from bench.peer import Peer
from bench.peers import envoy_lua, gateway, straight


def figures(peer: Peer, case: Case, cpu_micros: float, p50: float = 0.001) -> Figures:
    tally = Tally(calls=3000, seconds=2.0, p50=p50, p99=0.0175, failed=0)
    return Figures(peer, case, (Sample(cpu_micros / 1e6, tally),), 69_000_000, 80_000_000)


def test_a_goal_says_its_bound_what_the_run_gave_and_whether_that_holds() -> None:
    run = [
        figures(gateway.PEER, JSON_WRITE, 90),
        figures(gateway.PEER, CACHED_READ, 40),
        figures(envoy_lua.PEER, JSON_WRITE, 75),
        figures(gateway.PEER, ONE_CALLER, 90, p50=0.0007),
        figures(straight.PEER, ONE_CALLER, 20, p50=0.0001),
    ]
    rows = {row[0]: row[1:] for row in (goal.row(run) for goal in GOALS)}

    assert rows["a JSON write, to one of Envoy + Lua"] == ("1 x", "1.2 x", "**no**")
    assert rows["a cached read, to what Envoy + Lua forwards"] == ("0.5 x", "0.533 x", "**no**")
    assert rows["latency that the gateway adds for one caller, p50"] == ("0.5 ms", "0.6 ms", "**no**")
    assert rows["memory at rest"] == ("70 MB", "69 MB", "yes")


def test_a_goal_beside_a_peer_that_was_left_out_is_neither_reached_nor_missed() -> None:
    rows = {row[0]: row[1:] for row in (goal.row([figures(gateway.PEER, JSON_WRITE, 90)]) for goal in GOALS)}
    assert rows["a JSON write, to LiteLLM"][1:] == ("not measured", "")
