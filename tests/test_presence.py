"""gateway.presence: a caller's leaving is told once, also to who asks late."""

from gateway.presence import Presence


def test_who_watches_is_told_when_the_caller_leaves() -> None:
    told: list[str] = []
    presence = Presence()
    presence.watch(lambda: told.append("left"))
    assert (told, repr(presence)) == ([], "<Presence here>")
    presence.leave()
    assert (told, repr(presence)) == (["left"], "<Presence gone>")


def test_who_comes_late_is_told_at_once() -> None:
    told: list[str] = []
    presence = Presence()
    presence.leave()
    presence.watch(lambda: told.append("left"))
    assert told == ["left"]


def test_who_looks_no_longer_is_not_told() -> None:
    told: list[str] = []
    presence = Presence()
    presence.watch(lambda: told.append("left"))
    presence.unwatch()
    presence.leave()
    assert told == []
    assert presence.is_gone
