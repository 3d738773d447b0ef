"""gateway.routing: from a path to an account and a method."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import errors
from gateway.catalogue.model import ApiMethod, Catalogue, Effect
from gateway.routing import MethodPolicy, Router, allowed_hosts, base_paths

CATALOGUE = Catalogue(
    {
        name: ApiMethod(name, Effect.READ, path=path)
        for name, path in {
            "profiles/get": "profiles/get/",
            "databases/list": "",
            "admin/senders/list": "",
        }.items()
    }
)
ROUTER = Router({"default": "/api/v1.1", "shop": "/accounts/shop/api/v1.1"}, CATALOGUE)


@pytest.mark.parametrize(
    ("path", "account", "name", "known"),
    [
        (b"/api/v1.1/profiles/get", "default", "profiles/get", True),
        (b"/api/v1.1/profiles/get/", "default", "profiles/get", True),
        (b"/api/v1.1//profiles//get", "default", "profiles/get", True),
        (b"/accounts/shop/api/v1.1/databases/list", "shop", "databases/list", True),
        (b"/api/v1.1/new/method_x-1", "default", "new/method_x-1", False),
        (b"/api/v1.1/Profiles/get", "default", "Profiles/get", False),
    ],
)
def test_a_path_names_an_account_and_a_method(path: bytes, account: str, name: str, known: bool) -> None:
    target = ROUTER.find(path)
    assert (target.account, target.method.name, target.called, target.method.known) == (
        account,
        name,
        name,
        known,
    )
    assert ROUTER.account(path) == account


def test_an_unknown_method_is_taken_as_modifying_and_labelled_other() -> None:
    method = ROUTER.find(b"/api/v1.1/brand/new").method
    assert method.effect.modifies
    assert method.label == "other"


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"/",
        b"..",
        b"profiles/../admin",
        b"profiles/.",
        b"profiles%2Fget",
        b"profiles/%2e%2e/get",
        b"profiles/get%00",
        b"profiles/g\x00et",
        b"profiles/get\r\nX: 1",
        b"profiles\\get",
        b"profiles get",
        b"profiles/get;a=b",
        b"x" * 201,
        "профили".encode(),
    ],
)
def test_a_malformed_name_is_refused(name: bytes) -> None:
    with pytest.raises(errors.CallError) as refused:
        ROUTER.find(b"/api/v1.1/" + name)
    assert refused.value.kind is errors.BAD_REQUEST


@given(st.binary(max_size=60))
def test_whatever_follows_the_base_path_is_found_or_refused(rest: bytes) -> None:
    try:
        target = ROUTER.find(b"/api/v1.1/" + rest)
    except errors.CallError:
        return
    assert "." not in target.method.name
    assert all(target.method.name.split("/"))


@pytest.mark.parametrize(
    "path", [b"/", b"/api", b"/api/v1.10/profiles/get", b"/api/v1.0/lists", b"/accounts/x/api/v1.1/a"]
)
def test_other_paths_are_no_calls(path: bytes) -> None:
    assert ROUTER.account(path) is None


def test_the_base_path_alone_is_a_call_without_a_method() -> None:
    assert ROUTER.account(b"/api/v1.1") == "default"
    with pytest.raises(errors.CallError):
        ROUTER.find(b"/api/v1.1")


def test_only_named_accounts_have_a_prefix() -> None:
    assert base_paths({"default": "/api/v1.1", "shop": "/v2"}, "default") == {
        "default": "/api/v1.1",
        "shop": "/accounts/shop/v2",
    }


@pytest.mark.parametrize(
    ("policy", "method", "kind"),
    [
        (MethodPolicy(True, ()), ApiMethod("a", Effect.READ, known=False), None),
        (MethodPolicy(False, ()), ApiMethod("a", Effect.READ, known=False), errors.UNKNOWN_METHOD),
        (MethodPolicy(False, ()), ApiMethod("a", Effect.READ), None),
        (
            MethodPolicy(True, ("admin/*",)),
            ApiMethod("admin/senders/list", Effect.READ),
            errors.METHOD_DENIED,
        ),
        (MethodPolicy(True, ("admin/*",)), ApiMethod("administer", Effect.READ), None),
        (MethodPolicy(True, ("a",)), ApiMethod("a", Effect.READ), errors.METHOD_DENIED),
        (MethodPolicy(True, ("A/*",)), ApiMethod("a/DELETE", Effect.MODIFY), errors.METHOD_DENIED),
        (MethodPolicy(True, ()), ApiMethod("a", Effect.READ, allowed=False), errors.METHOD_DENIED),
    ],
)
def test_the_policy_says_which_methods_may_be_called(
    policy: MethodPolicy, method: ApiMethod, kind: errors.ErrorKind | None
) -> None:
    if kind is None:
        policy.check(method)
        return
    with pytest.raises(errors.CallError) as refused:
        policy.check(method)
    assert refused.value.kind is kind


def test_allowed_hosts_are_compared_without_case_and_brackets() -> None:
    assert allowed_hosts(["LocalHost", "[::1]"]) == {"localhost", "::1"}
