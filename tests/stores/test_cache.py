"""The tags under which reads are kept."""

from gateway.stores.cache import EVERY_READ, method_tag, read_tags, scoped

PLATFORM = "https://example.com/api/v1.1"
OTHER = "https://other.example.com/api/v1.1"


def test_a_read_carries_its_own_tags_and_those_by_which_it_is_purged() -> None:
    assert set(read_tags(PLATFORM, "databases/get", ("*", "db:7"))) == {
        EVERY_READ,
        method_tag("databases/get"),
        *scoped(PLATFORM, ("*", "db:7")),
    }


def test_tags_of_two_platforms_never_meet() -> None:
    assert not set(scoped(PLATFORM, ("*", "db:7"))) & set(scoped(OTHER, ("*", "db:7")))


def test_a_tag_that_an_operator_names_is_never_one_of_the_gateway_s_own() -> None:
    own = {EVERY_READ, method_tag("databases/get")}
    assert not own & set(scoped(PLATFORM, ("every-read", "method", "databases/get")))
