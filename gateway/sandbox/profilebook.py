"""The profiles of one database by id, with an index: 10,000 imports must not compare 10,000 times 10,000."""

from collections import UserDict

from gateway.sandbox.records import Profile
from gateway.sandbox.values import Value, as_list, as_text

Key = tuple[str, str]
_ADDRESS = ""


class ProfileBook(UserDict[str, Profile]):
    """A stored profile is indexed as it then is: whoever changes an address or a field stores it again."""

    def __init__(self) -> None:
        self._ids: dict[Key, dict[str, None]] = {}
        self._keys: dict[str, set[Key]] = {}
        super().__init__()

    def __setitem__(self, profile_id: str, profile: Profile) -> None:
        self._forget(profile_id)
        self._keys[profile_id] = _keys_of(profile)
        for key in self._keys[profile_id]:
            self._ids.setdefault(key, {})[profile_id] = None
        super().__setitem__(profile_id, profile)

    def __delitem__(self, profile_id: str) -> None:
        super().__delitem__(profile_id)
        self._forget(profile_id)

    def _forget(self, profile_id: str) -> None:
        for key in self._keys.pop(profile_id, ()):
            ids = self._ids[key]
            del ids[profile_id]
            if not ids:
                del self._ids[key]

    def at_address(self, address: str) -> list[Profile]:
        """Those with this e-mail address, phone, or subscription address; a subscription may be deleted."""
        return self._found((_ADDRESS, address.casefold()))

    def with_field(self, name: str, value: Value) -> list[Profile]:
        """Those whose field has this value; an id is the same as a number and as text."""
        return self._found((name, text_of(value)))

    def _found(self, key: Key) -> list[Profile]:
        return [self[profile_id] for profile_id in self._ids.get(key, ())]


def _keys_of(profile: Profile) -> set[Key]:
    keys = {(name, text_of(value)) for name, value in profile.fields.items()}
    own = [profile.fields.get("email"), *as_list(profile.fields.get("phones"))]
    addresses = [text_of(value) for value in own] + [entry.address for entry in profile.subscriptions]
    return keys | {(_ADDRESS, address.casefold()) for address in addresses if address}


def text_of(value: Value) -> str:
    """A scalar as text, for comparing; what is not one compares as nothing."""
    return "" if value is None or isinstance(value, dict | list) else as_text(value, "value")
