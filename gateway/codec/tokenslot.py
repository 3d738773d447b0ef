"""Where a token may stand in a call, and how ours gets there. A caller's own token never gets through.

Nothing is spliced into what a caller sent: a body is decoded, freed of tokens, and encoded again, so it makes
no difference how the caller spelt or hid one. Ours is put in front of that.
"""

import msgspec

from gateway.codec.body import Fields

_ENCODER = msgspec.json.Encoder()
_TOKEN = "token"  # noqa: S105  a parameter's name


def strip(fields: Fields) -> Fields:
    """The fields without any that a platform could read as `token`.

    Some decoders fold case, and folding has two surprises beyond ASCII: the Kelvin sign is a k. Some end a
    name at a NUL, as C does.
    """
    if _TOKEN not in "\n".join(fields).casefold():
        return fields  # nearly every call
    return {
        name: value
        for name, value in fields.items()
        if (len(name) != 5 or name.casefold() != _TOKEN)
        and ("\0" not in name or not _begins_with_token(name))
    }


def _begins_with_token(name: str) -> bool:
    return name.partition("\0")[0].casefold() == _TOKEN


def place(fields: Fields, token: str) -> Fields:
    """The fields with our token first and no other."""
    return {_TOKEN: msgspec.Raw(_ENCODER.encode(token)), **strip(fields)}


def put_first(body: bytes, token: str) -> bytes:
    """The same for fields that have no token and are encoded already."""
    opened = b'{"token":' + _ENCODER.encode(token)
    return opened + b"," + body[1:] if len(body) > len(b"{}") else opened + b"}"
