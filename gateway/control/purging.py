"""What an operator may have the cache forget, and which tags that changes."""

from collections.abc import Iterable

import msgspec

from gateway import errors
from gateway.catalogue.model import Catalogue
from gateway.policy.tags import changed_by
from gateway.stores.cache import EVERY_READ, Tags, method_tag, scoped


class Purge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of the three."""

    method: str | None = None
    tag: str | None = None
    all: bool | None = None


def parse(body: bytes) -> Purge:
    """Raises CallError (400) for anything but one wish in JSON."""
    try:
        wish = msgspec.json.decode(body, type=Purge)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refused() from error
    given = [name for name in (wish.method, wish.tag, wish.all) if name is not None]
    if len(given) != 1 or wish.all is False:
        raise _refused()
    return wish


def tags_of(wish: Purge, methods: Catalogue, base_urls: Iterable[str]) -> Tags:
    """The tags that have to change. Raises CallError (400) for a method or a tag that there cannot be: a
    purge that was mistyped would look like one that found nothing."""
    if wish.method is not None:
        if methods.find(wish.method) is None:
            raise errors.CallError(errors.BAD_REQUEST, "the catalogue has no method of that name")
        return (method_tag(wish.method),)
    if wish.tag is None:
        return (EVERY_READ,)
    try:
        tags = changed_by(wish.tag)
    except ValueError as error:
        raise errors.CallError(errors.BAD_REQUEST, str(error)) from error
    return tuple(tag for url in dict.fromkeys(base_urls) for tag in scoped(url, tags))


def _refused() -> errors.CallError:
    return errors.CallError(
        errors.BAD_REQUEST, 'send {"method": "profiles/get"}, {"tag": "db:7"} or {"all": true}'
    )
