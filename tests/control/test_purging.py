"""gateway.control.purging: which tags a purge changes."""

import pytest

from gateway.catalogue.model import ApiMethod, Catalogue, Effect
from gateway.control.purging import Purge, parse, tags_of
from gateway.errors import CallError

METHODS = Catalogue({"profiles/get": ApiMethod("profiles/get", Effect.READ)})
HERE, THERE = "https://here.example/api", "https://there.example/api"


@pytest.mark.parametrize(
    ("body", "tags"),
    [
        pytest.param(b'{"all": true}', {"every-read"}, id="all"),
        pytest.param(b'{"method": "profiles/get"}', {"method profiles/get"}, id="a method"),
        pytest.param(b'{"tag": "profiles"}', {f"{HERE} profiles", f"{THERE} profiles"}, id="a family"),
        pytest.param(
            b'{"tag": "db:7"}',
            {f"{HERE} db:7", f"{HERE} db:*", f"{THERE} db:7", f"{THERE} db:*"},
            id="one thing: also what cannot be told",
        ),
        pytest.param(b'{"tag": "db:*"}', {f"{HERE} *", f"{THERE} *"}, id="a kind: everything"),
        pytest.param(b'{"tag": "*"}', {f"{HERE} *", f"{THERE} *"}, id="everything"),
    ],
)
def test_a_wish_changes_these_tags(body: bytes, tags: set[str]) -> None:
    found = tags_of(parse(body), METHODS, [HERE, THERE, HERE])
    assert set(found) == tags
    assert len(found) == len(tags)


@pytest.mark.parametrize("wish", [Purge(method="profiles/gett"), Purge(tag="db:{id}"), Purge(tag="a b")])
def test_a_wish_that_was_mistyped_is_refused(wish: Purge) -> None:
    with pytest.raises(CallError) as refused:
        tags_of(wish, METHODS, [HERE])
    assert refused.value.kind.status == 400
