"""What a transport may be told: limits and times, as one frozen value; where they come from is not said."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """Times are seconds, sizes are bytes. Limits hold for one origin or one reply, never for all together."""

    max_connections: int = 100
    keepalive: float = 15.0  # how long a connection may idle; shorter than the platform's own time
    write_idle: float = 1.0  # modifying calls take only connections that idled less than this
    connect_timeout: float = 3.0  # name, all addresses, TLS: until the connection can carry a call
    first_byte_timeout: float = 30.0  # longest silence of the peer, before the reply and inside of it
    header_bytes: int = 32 * 1024
    headers: int = 100
    reply_bytes: int = 64 * 1024 * 1024  # of a buffered reply; a streamed one is bounded by its reader
    uds: str | None = None  # a Unix socket that carries every connection, whatever the URL's host says
    ssl_context: ssl.SSLContext | None = None  # None: the system's authorities, made at the first https call
