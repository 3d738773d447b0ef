"""The benches of gateways that share a Valkey, with short rounds: they measure what they say."""

import pytest
import uvloop

from bench import outages, shared, shared_wakeup
from bench.valkey import Valkey

pytestmark = [pytest.mark.full, pytest.mark.timeout(180)]


def test_every_kind_of_call_is_measured_with_and_without_valkey() -> None:
    steps: list[str] = []
    rows = shared.measure(1, 1, steps.append).splitlines()[2:]
    assert len(steps) == 2 * len(rows)
    assert [row.split(" | ")[1] for row in rows[:3]] == ["alone", "with Valkey", "with Valkey and a rate"]
    assert len(rows) == 3 * len(shared.CASES)


def test_a_caller_that_joined_elsewhere_is_answered_after_the_platform_did() -> None:
    rounds = uvloop.run(shared_wakeup.measure(5))
    assert len(rounds) == 5
    assert all(each.joined > 0 and each.led > 0 for each in rounds)
    assert "between the two" in shared_wakeup.show(rounds)


def test_a_trouble_is_noticed_and_what_came_of_the_calls_is_told() -> None:
    [figures] = uvloop.run(outages.measure(["stopped"], 1))
    assert figures.calls > 0
    assert (figures.failed, figures.twice) == (0, 0)
    assert figures.row().count("|") == outages.HEAD.splitlines()[0].count("|")


@pytest.mark.parametrize("name", outages.TROUBLES)
def test_a_trouble_is_over_when_it_is_mended(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    try:
        mend = outages.TROUBLES[name](server)
        if mend is not None:
            mend()
        assert server.tell("SET", "key", "value") == b"+OK\r\n"
    finally:
        server.stop()
