"""The matching modes, each finding the same profile."""

from typing import Any

import pytest

from gateway.sandbox.codes import ApiError
from gateway.sandbox.database import Database
from gateway.sandbox.families.matching import find, find_one
from gateway.sandbox.records import Profile, Subscription
from gateway.sandbox.values import Params


@pytest.fixture
def database() -> Database:
    ada = Profile(
        id="a1",
        fields={"email": "Ada@example.com", "phones": ["+1", "+2"], "card": 7},
        subscriptions=[
            Subscription(resource_id=1, channel="email", address="news@example.com"),
            Subscription(
                resource_id=1, channel="sms", address="+3", details={"custom_fields": {"tier": "gold"}}
            ),
            Subscription(resource_id=1, channel="push", address="fcm:dev1"),
            Subscription(resource_id=1, channel="email", address="old@example.com", deleted=True),
        ],
    )
    made = Database(id=1, name="People")
    made.profiles["a1"] = ada
    made.profiles["b1"] = Profile(id="b1", fields={"email": "bob@example.com", "card": "8"})
    return made


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"email": "ada@example.com"}, id="email is the default"),
        pytest.param({"matching": "email", "email": "news@example.com"}, id="email of a subscription"),
        pytest.param({"matching": "email_profile", "email": "ADA@example.com"}, id="email_profile"),
        pytest.param({"matching": "email_sub", "email": "news@example.com"}, id="email_sub"),
        pytest.param({"matching": "phone", "phone": "+2"}, id="phone"),
        pytest.param({"matching": "phone", "phone": "+3"}, id="phone of a subscription"),
        pytest.param({"matching": "phone_sub", "phone": "+3"}, id="phone_sub"),
        pytest.param({"matching": "profile_id", "profile_id": "a1"}, id="profile_id"),
        pytest.param({"matching": "push_sub", "provider": "fcm", "subscription_id": "dev1"}, id="push_sub"),
        pytest.param({"matching": "custom", "field_name": "card", "field_value": 7}, id="custom"),
        pytest.param({"matching": "custom", "field_name": "card", "field_value": "7"}, id="custom as text"),
        pytest.param(
            {"matching": "custom_sub", "field_name": "tier", "field_value": "gold"}, id="custom_sub"
        ),
        pytest.param({"matching": "email_phone", "email": "ada@example.com"}, id="email_phone by email"),
        pytest.param({"matching": "email_phone", "phone": "+1"}, id="email_phone by phone"),
        pytest.param(
            {"matching": "email_phone", "email": "ada@example.com", "phone": "+1"}, id="email_phone both"
        ),
        pytest.param({"matching": "email_phone_sub", "phone": "+3"}, id="email_phone_sub"),
    ],
)
def test_a_mode_finds_the_profile(database: Database, params: dict[str, Any]) -> None:
    assert find_one(database, Params(params)).id == "a1"


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"email": "old@example.com"}, id="a deleted subscription"),
        pytest.param({"matching": "email_profile", "email": "news@example.com"}, id="only a subscription"),
        pytest.param({"matching": "email_sub", "email": "ada@example.com"}, id="only the profile"),
        pytest.param({"matching": "email_phone", "email": "ada@example.com", "phone": "+9"}, id="one of two"),
        pytest.param({"matching": "custom", "field_name": "card", "field_value": 9}, id="another value"),
    ],
)
def test_a_mode_finds_nobody_else(database: Database, params: dict[str, Any]) -> None:
    assert find(database, Params(params)) is None


@pytest.mark.parametrize(
    ("params", "code"),
    [
        pytest.param({"matching": "telepathy"}, 450, id="an unknown mode"),
        pytest.param(
            {"matching": "phone", "email": "ada@example.com"}, 400, id="the mode's field is missing"
        ),
        pytest.param({"matching": "email_phone"}, 400, id="neither email nor phone"),
        pytest.param({"matching": "push_sub", "provider": "fcm"}, 400, id="half a push subscription"),
        pytest.param({"email": "nobody@example.com"}, 404, id="nobody"),
    ],
)
def test_what_is_refused(database: Database, params: dict[str, Any], code: int) -> None:
    with pytest.raises(ApiError) as caught:
        find_one(database, Params(params))
    assert caught.value.code == code


def test_two_profiles_are_ambiguous(database: Database) -> None:
    database.profiles["b2"] = Profile(id="b2", fields={"email": "bob@example.com"})
    with pytest.raises(ApiError) as caught:
        find(database, Params({"email": "bob@example.com"}))
    assert caught.value.code == 435


def test_the_index_follows_changes_and_deletions(database: Database) -> None:
    database.profiles["b1"] = Profile(id="b1", fields={"email": "robert@example.com"})
    assert find(database, Params({"email": "bob@example.com"})) is None
    assert find_one(database, Params({"email": "robert@example.com"})).id == "b1"
    del database.profiles["b1"]
    assert find(database, Params({"email": "robert@example.com"})) is None
