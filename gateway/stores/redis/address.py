"""Where Redis is, read from `redis.url`. Refuses to be shown with its password."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from gateway.errors import UNPLACED, Problem, SettingsError

PORT = 6379


@dataclass(frozen=True, slots=True)
class Address:
    """`redis://user:password@host:port/db`, `rediss://` over TLS, or `unix://path?db=0`."""

    host: str
    port: int
    path: str  # of a Unix socket; "" where it is none
    user: str
    password: str = field(repr=False)
    database: int
    tls: ssl.SSLContext | None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises SettingsError; its text shows nothing of the address."""
        try:
            return _parse(url)
        except (ValueError, OSError) as error:
            problem = Problem(UNPLACED, "redis.url", f"cannot be used ({type(error).__name__})")
            raise SettingsError((problem,)) from None

    def __str__(self) -> str:
        place = f"unix:{self.path}" if self.path else f"{self.host}:{self.port}"
        return f"{place}, database {self.database}"


def _parse(url: str) -> Address:
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    is_unix = parts.scheme == "unix"
    database = options.get("db") or ("0" if is_unix else parts.path.strip("/") or "0")
    return Address(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or PORT,
        path=unquote(parts.path) if is_unix else "",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=int(database),
        tls=_tls(options) if parts.scheme == "rediss" else None,
    )


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    """The options are named as redis-py names them."""
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    if options.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if "ssl_certfile" in options:
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    return context
