"""The spelling of names, addresses and paths in the settings.

What can be told from the text alone is told here, so that `check` finds it and not the first call of the day.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, SerializerFunctionWrapHandler, WrapSerializer

from gateway.settings.spelling import Spelling

Key = TypeVar("Key")
Value = TypeVar("Value")


def _write_table(table: Mapping[Any, Any], write: SerializerFunctionWrapHandler) -> Any:
    return write(dict(table))  # pydantic cannot write what it did not make


Table = Annotated[Mapping[Key, Value], AfterValidator(MappingProxyType), WrapSerializer(_write_table)]
"""A map that stays as it was loaded: a frozen model alone would leave its dictionaries open."""

_WORD = r"[A-Za-z0-9_-]+"
_PATH = r"(/[A-Za-z0-9._~-]+)+"

_DEFAULT_PORTS = {"http": 80, "https": 443}
# First segments of paths that the gateway answers itself: calls behind them would never arrive.
_OWN_PATHS = frozenset({"-", "accounts", "livez", "healthz", "readyz", "metrics"})


def _read_caller(text: str) -> str:
    if text == "other":
        raise ValueError("is a reserved name: `other` counts the callers that are not listed")
    return text


def _read_name(text: str) -> str:
    if text in {"default", "none"}:
        raise ValueError("is a reserved name: `default` is the top level's own, `none` means no token")
    return text


def _read_host(text: str) -> str:
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            raise ValueError(
                "should be a host name or an address, without a port and without brackets"
            ) from None
    return text.lower()


def _read_path(text: str) -> str:
    segments = text.split("/")[1:]
    if "." in segments or ".." in segments:
        raise ValueError("should not hold the segments `.` and `..`")
    if segments[0] in _OWN_PATHS:
        raise ValueError(f"should not begin with /{segments[0]}, which the gateway answers itself")
    return text


def _read_base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its message may quote the text
        raise ValueError("should have a host, and a port from 1 to 65535 if any") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("should not hold a user name or password: what the platform asks for is a token")
    if not parts.hostname or port == 0:
        raise ValueError("should have a host, and a port from 1 to 65535 if any")
    path, scheme, origin = parts.path.rstrip("/"), parts.scheme.lower(), parts.netloc.lower()
    # The same platform is to be one, however it is written: accounts share what changes there.
    origin = origin.removesuffix(f":{_DEFAULT_PORTS.get(scheme)}")
    return f"{scheme}://{origin}{_read_path(path)}"


def read_vault_address(text: str) -> str:
    """Also of VAULT_ADDR. Raises ValueError without a word of the text."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("should be an http or https address with a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("should hold neither a user name nor a query")
    return text.rstrip("/")


def _read_vault_path(text: str) -> str:
    if {".", ".."} & set(text.split("/")):
        raise ValueError("should not hold the segments `.` and `..`")
    return text


MethodName = Annotated[
    str, Spelling("a method's name without slashes around it", ("profiles/get",), rf"{_WORD}(/{_WORD})*")
]
MethodPattern = Annotated[
    str,
    Spelling(
        "a method's name, or a pattern with * in it",
        ("profiles/delete", "admin/*"),
        r"[A-Za-z0-9_*-]+(/[A-Za-z0-9_*-]+)*",
    ),
]
Name = Annotated[str, Spelling("a name of letters, digits, '_' and '-'", ("reader",), _WORD, _read_name)]
TokenName = Annotated[str, Spelling("a token's name", ("reader", "none"), _WORD)]
CallerName = Annotated[
    str, Spelling("a short name", ("crm", "shop-eu"), r"[A-Za-z0-9_.-]{1,64}", _read_caller)
]
# RFC 9110 section 5.6.2: token
HeaderName = Annotated[str, Spelling("a header's name", ("Request-ID",), r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")]
Variable = Annotated[str, Spelling("the name of a variable", ("PLATFORM_TOKEN",), r"[A-Za-z_][A-Za-z0-9_]*")]
HostName = Annotated[
    str,
    Spelling(
        "a host name or address without a port", ("gateway.internal", "::1"), r"[A-Za-z0-9_.:-]+", _read_host
    ),
]
FilePath = Annotated[Path, Spelling("the path of a file", ("/run/secrets/token",), r".+", Path)]
UrlPath = Annotated[str, Spelling("a path without a slash at its end", ("/api/download",), _PATH, _read_path)]
BaseUrl = Annotated[
    str,
    Spelling(
        "an http or https address with a path",
        ("https://example.com/api/v1.1",),
        rf"[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9._:@\[\]-]+{_PATH}/?",
        _read_base_url,
    ),
]
VaultUrl = Annotated[
    str,
    Spelling(
        "an http or https address", ("https://vault.internal:8200",), r"https?://[!-~]+", read_vault_address
    ),
]
# Below a mount, as Vault writes it in its own paths.
VaultPath = Annotated[
    str,
    Spelling(
        "a path without a slash at its ends",
        ("secret", "team/platform"),
        r"[A-Za-z0-9._~@+-]+(/[A-Za-z0-9._~@+-]+)*",
        _read_vault_path,
    ),
]
RedisUrl = Annotated[
    str, Spelling("a redis, rediss or unix address", ("redis://127.0.0.1:6379/0",), r"(rediss?|unix)://\S+")
]
Tag = Annotated[
    str,
    Spelling(
        "a tag, its value fixed or taken from a parameter",
        ("db:{db_id}", "segments"),
        r"\*|[A-Za-z0-9_-]+(:(\{[A-Za-z0-9_-]+\}|\*|[A-Za-z0-9_.-]+))?",
    ),
]
