"""The ids of calls: which a caller may send, and how new ones are made."""

import re
from collections.abc import Callable

from gateway import errors
from gateway.headers import IDEMPOTENCY_KEY, REQUEST_ID, Headers

# Visible ASCII without quote and comma: what an HTTP field value, a structured string (RFC 8941) and a log
# line carry unchanged, and what cannot be two header lines joined.
_RANDOM = 10  # bytes of an id that nobody can guess
_POOL = 64  # ids
_KEY = re.compile(rb"[!#-+\--~]{1,128}")


def caller_key(headers: Headers) -> str | None:
    """The caller's own identity of the call, from `Request-ID` or `Idempotency-Key`; None when it sent none.

    Raises CallError (400) for a key with other characters, and for two that differ: an id that is echoed must
    not be able to break the reply's head.
    """
    request_id = headers.get(REQUEST_ID)
    idempotency_key = headers.get(IDEMPOTENCY_KEY)
    if (
        idempotency_key is not None
        and len(idempotency_key) > 1
        and idempotency_key[:1] == b'"' == idempotency_key[-1:]
    ):
        idempotency_key = idempotency_key[1:-1]
    if request_id is None and idempotency_key is None:
        return None
    if request_id is not None and idempotency_key is not None and request_id != idempotency_key:
        raise errors.CallError(errors.BAD_REQUEST, "Request-ID and Idempotency-Key differ; send one of them")
    key = request_id if request_id is not None else idempotency_key
    if key is None or not _KEY.fullmatch(key):
        raise errors.CallError(
            errors.BAD_REQUEST,
            "Request-ID and Idempotency-Key are 1 to 128 visible ASCII characters without quote and comma",
        )
    return key.decode("ascii")


def id_maker(now: Callable[[], float], random_bytes: Callable[[int], bytes]) -> Callable[[], str]:
    """A source of new ids: 32 hexadecimal digits that sort by time, like a UUID of version 7 (RFC 9562)."""

    pool = b""

    def make() -> str:
        nonlocal pool
        if not pool:
            pool = random_bytes(_RANDOM * _POOL)  # one question to the system for many ids
        own, pool = pool[:_RANDOM], pool[_RANDOM:]
        return int(now() * 1000).to_bytes(6, "big").hex() + own.hex()

    return make
