"""What the headers of a reply say to the gateway, read in one go."""

from collections.abc import Iterable

import msgspec


class ReplyHead(msgspec.Struct, frozen=True, gc=False):
    """The values as they came, but for the coding."""

    content_type: bytes
    retry_after: bytes | None
    duplicate: bool  # the platform had seen the call before and answers it again
    coding: bytes  # in small letters; b"" for none


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> ReplyHead:
    """Reads them in one go, whatever the case of their names."""
    content_type = coding = b""
    retry_after: bytes | None = None
    duplicate = False
    for name, value in headers:
        # Most are about something else: the length says so first, for every header of every reply.
        if len(name) not in _LENGTHS:
            continue
        match name.lower():
            case b"content-type":
                content_type = value
            case b"content-encoding":
                coding = coding + b"," + value if coding else value.strip().lower()
            case b"retry-after":
                retry_after = value
            case b"duplicate-request" | b"x-duplicate-request":  # the second name is the older platform's
                duplicate = value.lower() == b"true"
    return ReplyHead(content_type, retry_after, duplicate, b"" if coding == b"identity" else coding)


_LENGTHS = frozenset(
    map(
        len,
        (b"content-type", b"content-encoding", b"retry-after", b"duplicate-request", b"x-duplicate-request"),
    )
)
