"""A token's value, wrapped so that it cannot be shown by accident.

This module refuses to hand the value out in any way but `reveal()`: not by repr, format, pickle or copy.
"""

import hashlib
import hmac
from typing import NoReturn

from gateway.errors import TokenMissingError

SHORTEST = 8
"""Bytes. Masking a shorter value wherever it occurs would maul replies that only contain the same letters."""


class Secret:
    """A usable token. Two of them are equal when their values are."""

    __slots__ = ("_value", "key", "mark")

    def __init__(self, value: str) -> None:
        self._value = value
        data = value.encode()
        self.key = hashlib.blake2b(data, digest_size=32).digest()
        """For keyed hashes, which tell whether something was said under this value."""
        self.mark = hashlib.blake2b(b"mark", key=self.key, digest_size=12).hexdigest()
        """Tells one value from another, in every process alike, without keeping either."""

    @classmethod
    def parse(cls, raw: bytes, source: str) -> "Secret":
        """The token that `raw` holds, without the newline an editor or `echo` put behind it.

        Raises TokenMissingError when it cannot be used; the text names `source` and never shows the value.
        """
        try:
            value = raw.rstrip(b"\r\n").decode()
        except UnicodeDecodeError:
            # `from None`: the exception carries the bytes it could not decode.
            raise TokenMissingError(f"{source}: the token is not UTF-8") from None
        if not value:
            raise TokenMissingError(f"{source}: there is no token")
        if not value.isprintable():
            raise TokenMissingError(f"{source}: the token holds control or other unprintable characters")
        if len(value.encode()) < SHORTEST:
            raise TokenMissingError(f"{source}: the token is shorter than {SHORTEST} bytes")
        return cls(value)

    def reveal(self) -> str:
        """The value itself: for the place that writes it to the wire, and for the redactor."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is neither copied nor pickled")
