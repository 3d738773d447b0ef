"""The table of generations takes no more room than what depends on it, and forgets nothing that matters."""

from gateway.stores.generations import Generations, were_current_until


def test_tags_that_nobody_depends_on_take_no_room() -> None:
    generations = Generations()
    for number in range(1000):
        generations.snapshot((f"db:{number}",), 0)
        generations.change((f"db:{number}",))
    kept = generations.snapshot(("a", "b"), 0)

    assert len(generations) == 2
    assert generations.are_current(kept, 0)


def test_a_tag_that_comes_again_is_not_what_it_was() -> None:
    generations = Generations()
    before = generations.snapshot(("a",), 0)
    generations.change(("a",))
    after = generations.snapshot(("a",), 0)

    assert not generations.are_current(before, 0)
    assert generations.are_current(after, 0)
    assert set(before.generations).isdisjoint(after.generations)


def test_holds_that_were_opened_take_no_room() -> None:
    generations = Generations()
    for _ in range(1000):
        generations.open(generations.close(("a",), until=3600), now=0)

    assert len(generations._ends) <= 64 + 1
    assert not generations._holds
    assert not generations._closed


def test_holds_that_ended_by_themselves_take_no_room() -> None:
    generations = Generations()
    for number in range(1000):
        generations.close((f"db:{number}", "db:*"), until=number)
    assert generations.snapshot(("db:*",), 998.5).closed

    assert not generations.snapshot(("db:*",), 999).closed
    assert not generations._ends
    assert not generations._holds
    assert not generations._closed


def test_a_hold_survives_the_clearing_away_of_others() -> None:
    generations = Generations()
    generations.close(("a",), until=10)
    for _ in range(1000):
        generations.open(generations.close(("b",), until=3600), now=0)

    assert generations.snapshot(("a",), 9.5).closed
    assert not generations.snapshot(("a",), 10).closed


def test_opening_twice_is_no_harm() -> None:
    generations = Generations()
    mark = generations.close(("a", "a"), until=10)
    other = generations.close(("a",), until=10)
    generations.open(mark, 0)
    generations.open(mark, 0)

    assert generations.snapshot(("a",), 0).closed
    generations.open(other, 0)
    assert not generations.snapshot(("a",), 0).closed


def test_what_one_change_overtook_is_told_from_what_was_overtaken_before() -> None:
    generations = Generations()
    good, bad = generations.snapshot(("a", "b"), 0), generations.snapshot(("a", "c"), 0)
    generations.change(("c",))
    ended = generations.change(("a",))

    assert were_current_until(good, ended)
    assert not were_current_until(bad, ended)


def test_the_reprs_say_what_there_is_and_a_generation_names_its_tag() -> None:
    generations = Generations()
    snapshot = generations.snapshot(("a", "b"), 0)
    generations.close(("a",), until=10)

    assert repr(generations) == "<Generations of 1 tags, 1 holds>"
    assert [repr(one) for one in snapshot.generations] == ["<Generation of 'a', over>", "<Generation of 'b'>"]
