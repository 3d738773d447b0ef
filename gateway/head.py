"""What the head of a request says, once httptools has read it; refuses what could be read in two ways.

httptools refuses most of that itself (two lengths, a length and chunks, folded lines, bare line feeds, spaces
before a colon). It lets pass what is refused here: other versions, transfer codings besides chunked, any of
them in HTTP/1.0, and targets that are no path, which another server might take for another host's. A missing
or doubled `Host` is the guard's to refuse, as a name that is not allowed.
"""

from typing import NamedTuple

from gateway import errors
from gateway.headers import EXPECT, TRANSFER_ENCODING, Headers


class Head(NamedTuple):
    """`path` and `query` are as they came, percent escapes and all."""

    method: str
    path: bytes
    query: bytes
    version: str
    headers: Headers  # those that are read
    keep_alive: bool
    asks_first: bool  # the caller sends the body once it is told to (Expect: 100-continue)


def read(method: bytes, target: bytes, version: str, headers: Headers, *, keep_alive: bool) -> Head:
    """`keep_alive` is httptools' word. Raises CallError (400)."""
    if version not in ("1.1", "1.0"):
        raise errors.CallError(errors.BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    if TRANSFER_ENCODING in headers and (
        headers[TRANSFER_ENCODING].lower() != b"chunked" or version != "1.1"
    ):
        raise errors.CallError(errors.BAD_REQUEST, "no transfer coding but chunked is read, in HTTP/1.1")
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/") or b"#" in target:
        raise errors.CallError(errors.BAD_REQUEST, "the target has to be a path")
    return Head(
        method.decode("ascii"),
        path,
        query,
        version,
        headers,
        keep_alive and version == "1.1",
        EXPECT in headers and headers[EXPECT].lower() == b"100-continue",
    )
