"""What the model promises whatever the data says."""

import pytest

from gateway.catalogue.loading import load
from gateway.catalogue.model import ApiMethod, Catalogue, Effect, unknown_method


def test_only_a_read_does_not_modify() -> None:
    assert [effect for effect in Effect if not effect.modifies] == [Effect.READ]


def test_an_unknown_method_may_change_anything_and_has_no_label_of_its_own() -> None:
    method = unknown_method("segments/delete")
    assert method.effect.modifies
    assert method.invalidates == ("*",)
    assert method.label == "other"
    assert method.name == "segments/delete"


def test_a_known_method_is_labelled_with_its_name() -> None:
    assert ApiMethod("profiles/get", Effect.READ).label == "profiles/get"


def test_the_family_is_the_first_segment() -> None:
    assert ApiMethod("campaigns/triggers/start", Effect.MODIFY).family == "campaigns"
    assert ApiMethod("file_upload", Effect.MODIFY).family == "file_upload"


@pytest.mark.parametrize(
    "name", ["Profiles/get", "profiles/get/", "/profiles/get", "profiles//get", "profiles"]
)
def test_a_method_is_found_by_its_exact_name_only(name: str) -> None:
    catalogue = load()
    assert catalogue.find("profiles/get") is not None
    assert catalogue.find(name) is None


def test_a_catalogue_cannot_be_changed_by_whoever_holds_it() -> None:
    catalogue = load()
    with pytest.raises(TypeError):
        catalogue.methods["profiles/get"] = ApiMethod("profiles/get", Effect.READ)  # type: ignore[index]  # on purpose
    with pytest.raises(TypeError):
        next(iter(catalogue)).negative_ttl[404] = 1.0  # type: ignore[index]  # on purpose
    with pytest.raises(TypeError):
        Catalogue({}).shapes["profile"] = catalogue.shapes["profile"]  # type: ignore[index]  # on purpose


def test_a_method_with_a_token_of_its_own_gets_none_put_in() -> None:
    assert not ApiMethod("profiles/message_unsub", Effect.MODIFY, token="none").carries_token
    assert ApiMethod("profiles/get", Effect.READ).carries_token
    assert ApiMethod("profiles/get", Effect.READ, token="reader").carries_token
