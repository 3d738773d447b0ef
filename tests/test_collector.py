"""gateway.collector: what is there when it settles is not looked at again."""

import gc

from gateway import collector


def test_what_is_there_is_left_alone_and_what_comes_is_looked_at_seldom() -> None:
    before = gc.get_threshold()
    try:
        collector.settle()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (collector.YOUNG, collector.MIDDLE, collector.OLD)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
