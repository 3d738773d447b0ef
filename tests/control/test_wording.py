"""gateway.control.wording: numbers and times as people read them."""

import pytest

from gateway.control import wording


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.034, "0.03"), (9.5, "9.50"), (1234.6, "1235")])
def test_rates(value: float, text: str) -> None:
    assert wording.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0 %"), (0.0001, "<0.1 %"), (0.034, "3.4 %"), (0.5, "50 %"), (1.0, "100 %")],
)
def test_shares(value: float | None, text: str) -> None:
    assert wording.share(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.00034, "0.3 ms"), (0.012, "12 ms"), (1.25, "1.2 s"), (60.0, "60.0 s")]
)
def test_durations(value: float | None, text: str) -> None:
    assert wording.duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "1 d 1 h"), (-1, "0 s"), (86400 + 5, "1 d")],
)
def test_ages(value: float, text: str) -> None:
    assert wording.age(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (2048, "2.0 KiB"), (64 * 1024**2, "64.0 MiB"), (3 * 1024**3, "3.0 GiB")]
)
def test_sizes(value: int, text: str) -> None:
    assert wording.size(value) == text
