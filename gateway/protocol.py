"""uvicorn's HTTP protocol as this listener needs it: refuses to switch protocols, and tells a call when its
caller leaves.

Java's HttpClient and others offer HTTP/2 on their first call (`Upgrade: h2c`, RFC 7540 section 3.2), body and
all. A server may ignore the offer (RFC 9110 section 7.8); httptools instead ends the message at its head and
loses the body. So the field is renamed before httptools sees it.
"""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.presence import SCOPE_KEY, Presence

_UPGRADE = re.compile(rb"(?i)(?<=\r\n)upgrade(?=[ \t]*:)")


class ListenerProtocol(HttpToolsProtocol):
    """One connection of a caller."""

    _in_head = True

    def data_received(self, data: bytes) -> None:
        if self._in_head and b"pgrade" in data:
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(b"x-upgrade", head) + end + rest
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if getattr(self.cycle, "response_complete", True):  # uvicorn has no cycle before the first request
            return
        presence = self.cycle.scope.get(SCOPE_KEY)
        if isinstance(presence, Presence):
            presence.leave()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
