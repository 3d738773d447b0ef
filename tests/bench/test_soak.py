"""bench.soak and bench.traffic: what has to hold is really looked at."""

import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.soak import Sample, Soaked, Tally
from bench.traffic import call

ROOT = Path(__file__).parents[2]
REST = Sample(0, 60_000_000, 13)
WELL = Soaked(
    tally=Tally(Counter({200: 990_000}), left=10_000),
    seconds=300.0,
    rest=REST,
    samples=[Sample(step * 100_000, 70_000_000 + step * 100_000, 40) for step in range(1, 10)]
    + [Sample(1_000_000, 71_000_000, 14)],
    left={},
    errors=[],
)


def test_a_gateway_that_is_well_has_no_faults() -> None:
    assert WELL.faults() == []
    assert (WELL.full().calls, round(WELL.slope(), 1)) == (200_000, 1.0)


@pytest.mark.parametrize(
    ("soaked", "fault"),
    [
        (replace(WELL, tally=Tally(Counter({200: 1}), wrong=["x"])), "a wrong answer: x"),
        (replace(WELL, left={"gateway_flights_in_progress": 2}), "gateway_flights_in_progress is 2"),
        (replace(WELL, errors=["boom"]), "the gateway logged: boom"),
        (replace(WELL, samples=[*WELL.samples[:-1], Sample(10**6, 71_000_000, 20)]), "20 files are open"),
        (replace(WELL, samples=[*WELL.samples[:-1], Sample(10**6, 78_000_000, 13)]), "memory went from 70.2"),
    ],
)
def test_each_thing_that_is_left_is_a_fault(soaked: Soaked, fault: str) -> None:
    [found] = soaked.faults()
    assert found.startswith(fault)


def test_traffic_is_of_every_kind_and_the_same_every_time() -> None:
    chance, again = random.Random(1), random.Random(1)
    sent = [call(number, chance) for number in range(2000)]
    assert sent == [call(number, again) for number in range(2000)]
    for part in (b"application/xml", b"Request-ID:", b"text/plain", b"profiles/get", b"import_batch"):
        assert any(part in each.request for each in sent)
    assert any(each.leaves for each in sent)


@pytest.mark.full
def test_a_short_soak_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "bench.soak", "--calls", "20000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("all is well")
