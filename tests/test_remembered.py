"""gateway.remembered: bounded, and right or silent."""

from gateway.remembered import Remembered


def test_what_was_put_is_got_until_there_is_no_room() -> None:
    kept: Remembered[int, str] = Remembered(3)
    for number in range(10):
        kept.put(number, str(number))
        assert kept.get(number) == str(number)
        assert len(kept) <= 3
        assert all(kept.get(key) in (None, str(key)) for key in range(10))
    assert kept.get(10) is None


def test_what_was_cleared_is_got_no_more() -> None:
    kept: Remembered[int, str] = Remembered(3)
    kept.put(1, "1")
    kept.clear()
    assert kept.get(1) is None
    assert len(kept) == 0
