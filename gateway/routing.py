"""From a request's path to an account and a method. Builds nothing from a path that it has not checked.

Paths are matched as raw bytes, percent escapes and all: an encoded slash or dot is refused, never decoded.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway import errors
from gateway.catalogue.model import ApiMethod, Catalogue, unknown_method

_SEGMENT = re.compile(rb"[A-Za-z0-9_-]+")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a method of an account's platform."""

    account: str
    method: ApiMethod
    called: str


@dataclass(frozen=True, slots=True)
class MethodPolicy:
    """Which methods may be called at all. `deny` holds names, or patterns such as `admin/*`."""

    forward_unknown: bool
    deny: tuple[str, ...]

    def check(self, method: ApiMethod) -> None:
        """Raise the 403 or 501 of a method that may not be called."""
        if not method.allowed or self._is_denied(method.name):
            raise errors.CallError(errors.METHOD_DENIED, f"the method {method.name} is not allowed here")
        if not (method.known or self.forward_unknown):
            raise errors.CallError(errors.UNKNOWN_METHOD, f"the method {method.name} is not in the catalogue")

    def _is_denied(self, name: str) -> bool:
        """Whatever the case: nothing says that the platform tells `Profiles/delete` from
        `profiles/delete`."""
        return bool(self.deny) and any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.deny)


class Router:
    """Base paths and methods. Known spellings are looked up in a table; the rest is taken apart with care."""

    def __init__(self, prefixes: Mapping[str, str], catalogue: Catalogue) -> None:
        """`prefixes`: account name -> the path in front of its methods, as in `/api/v1.1`."""
        self._catalogue = catalogue
        self._prefixes: Sequence[tuple[bytes, str]] = sorted(
            ((path.encode("ascii") + b"/", account) for account, path in prefixes.items()),
            key=lambda entry: -len(entry[0]),
        )
        self._known = {
            prefix + spelling: Target(account, method, method.name)
            for prefix, account in self._prefixes
            for method in catalogue
            for spelling in (method.name.encode("ascii"), method.name.encode("ascii") + b"/")
        }

    def account(self, path: bytes) -> str | None:
        """The account whose base path this is under; None when it is no call at all."""
        for prefix, account in self._prefixes:
            if path.startswith(prefix) or path == prefix[:-1]:
                return account
        return None

    def find(self, path: bytes) -> Target:
        """What a path under a base path names. Raises CallError (400) for a malformed name."""
        return self._known.get(path) or self._take_apart(path)

    def _take_apart(self, path: bytes) -> Target:
        prefix, account = next(entry for entry in self._prefixes if (path + b"/").startswith(entry[0]))
        segments = [segment for segment in path[len(prefix) :].split(b"/") if segment]
        if not segments:
            raise errors.CallError(errors.BAD_REQUEST, "the path names no method")
        if len(path) - len(prefix) > _LONGEST_NAME or not all(map(_SEGMENT.fullmatch, segments)):
            raise errors.CallError(
                errors.BAD_REQUEST,
                "a method name is made of letters, digits, '_' and '-', in parts joined by '/'",
            )
        name = b"/".join(segments).decode("ascii")
        return Target(account, self._catalogue.find(name) or unknown_method(name), name)


def base_paths(accounts: Mapping[str, str], default: str) -> dict[str, str]:
    """The path in front of each account's methods, from the path of each account's base URL."""
    return {name: path if name == default else f"/accounts/{name}{path}" for name, path in accounts.items()}


def allowed_hosts(names: Collection[str]) -> frozenset[str]:
    """The allow-list in the form that the guard compares with: lower case, no brackets."""
    return frozenset(name.lower().strip("[]") for name in names)
