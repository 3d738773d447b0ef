"""Which profile a call means: the matching modes (platform documentation, "Import or update profile")."""

from collections.abc import Callable, Iterable, Mapping

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.database import Database
from gateway.sandbox.profilebook import ProfileBook, text_of
from gateway.sandbox.records import Profile
from gateway.sandbox.values import Fields, Params, as_list

Test = Callable[[Profile], bool]
DEFAULT = "email"


def find(database: Database, params: Params) -> Profile | None:
    """The one profile that matches, or none. More than one is an ambiguous search (435)."""
    mode = params.text("matching", DEFAULT)
    if mode not in _MODES:
        raise ApiError(Code.VALIDATION, f"matching {mode!r} does not exist")
    test = _MODES[mode](params)
    found = [profile for profile in _candidates(database.profiles, mode, params) if test(profile)]
    if len(found) > 1:
        raise ApiError(Code.AMBIGUOUS)
    return found[0] if found else None


def _candidates(profiles: ProfileBook, mode: str, params: Params) -> Iterable[Profile]:
    """Those that the index knows for the mode; the mode's own test has the last word."""
    match mode:
        case "custom_sub":
            return profiles.values()
        case "custom":
            return profiles.with_field(params.text("field_name"), params.text("field_value"))
        case "profile_id":
            profile = profiles.get(params.text("profile_id"))
            return [profile] if profile else []
        case "push_sub":
            return profiles.at_address(push_address(params))
        case _:
            is_email = mode.startswith("email") and "email" in params
            return profiles.at_address(params.text("email" if is_email else "phone"))


def find_one(database: Database, params: Params) -> Profile:
    """As `find`, but nothing found is 404 and a damaged record 500."""
    profile = find(database, params)
    if profile is None:
        raise ApiError(Code.NOT_FOUND, "no profile matches")
    if profile.is_broken:
        raise ApiError(Code.INTERNAL, f"the record of profile {profile.id} is damaged")
    return profile


def matched_fields(params: Params) -> Fields:
    """The fields that a profile created by an import gets from its matching, if `data` has them not."""
    match params.text("matching", DEFAULT):
        case "email" | "email_profile" | "email_sub":
            return {"email": params.raw("email")}
        case "phone" | "phone_sub":
            return {"phones": [params.raw("phone")]}
        case "custom":
            return {params.text("field_name"): params.raw("field_value")}
        case "email_phone" | "email_phone_sub":
            phones: Fields = {"phones": [params.raw("phone")]} if "phone" in params else {}
            return params.pick(["email"]) | phones
        case _:
            return {}


def _email_profile(params: Params) -> Test:
    email = params.text("email").casefold()
    return lambda profile: text_of(profile.fields.get("email")).casefold() == email


def _email_sub(params: Params) -> Test:
    return _subscribed("email", params.text("email").casefold())


def _phone_profile(params: Params) -> Test:
    phone = params.text("phone")
    return lambda profile: phone in [text_of(item) for item in as_list(profile.fields.get("phones"))]


def _phone_sub(params: Params) -> Test:
    return _subscribed("sms", params.text("phone"))


def _subscribed(channel: str, address: str) -> Test:
    def test(profile: Profile) -> bool:
        mine = [sub.address.casefold() for sub in profile.live_subscriptions() if sub.channel == channel]
        return address in mine

    return test


def _profile_id(params: Params) -> Test:
    profile_id = params.text("profile_id")
    return lambda profile: profile.id == profile_id


def _push_sub(params: Params) -> Test:
    return _subscribed("push", push_address(params).casefold())


def push_address(params: Params) -> str:
    """A push subscription has no one address: the provider's name and the id together are it."""
    return f"{params.text('provider')}:{params.text('subscription_id')}"


def _custom(params: Params) -> Test:
    name, value = params.text("field_name"), params.text("field_value")
    return lambda profile: text_of(profile.fields.get(name)) == value


def _custom_sub(params: Params) -> Test:
    name, value = params.text("field_name"), params.text("field_value")

    def test(profile: Profile) -> bool:
        custom = [sub.details.get("custom_fields") for sub in profile.live_subscriptions()]
        return any(isinstance(fields, dict) and text_of(fields.get(name)) == value for fields in custom)

    return test


def _either(*modes: Callable[[Params], Test]) -> Callable[[Params], Test]:
    def made(params: Params) -> Test:
        tests = [mode(params) for mode in modes]
        return lambda profile: any(test(profile) for test in tests)

    return made


def _email_phone(
    by_email: Callable[[Params], Test], by_phone: Callable[[Params], Test]
) -> Callable[[Params], Test]:
    """E-mail and/or phone: each that is sent must match."""

    def made(params: Params) -> Test:
        if "email" not in params and "phone" not in params:
            raise ApiError(Code.INCORRECT_REQUEST, "email or phone is required")
        tests = [by_email(params)] if "email" in params else []
        if "phone" in params:
            tests.append(by_phone(params))
        return lambda profile: all(test(profile) for test in tests)

    return made


_MODES: Mapping[str, Callable[[Params], Test]] = {
    "email": _either(_email_profile, _email_sub),
    "email_profile": _email_profile,
    "email_sub": _email_sub,
    "phone": _either(_phone_profile, _phone_sub),
    "phone_sub": _phone_sub,
    "profile_id": _profile_id,
    "push_sub": _push_sub,
    "custom": _custom,
    "custom_sub": _custom_sub,
    "email_phone": _email_phone(_either(_email_profile, _email_sub), _either(_phone_profile, _phone_sub)),
    "email_phone_sub": _email_phone(_email_sub, _phone_sub),
}
