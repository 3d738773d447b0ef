"""The closed sets that label values come from.

Callers and the platform send what they like; a label takes only what is listed here or in the configuration,
and `other` stands for the rest. Otherwise a caller could fill Prometheus.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

from gateway import errors
from gateway.catalogue.model import OTHER, ApiMethod
from gateway.policy.retrying import Trouble
from gateway.records import CALLER_GONE, CacheResult, Conversion, FailureKind, FlightOutcome, FlightRole

NONE = "none"
"""Where there is nothing to name: an attempt without an answer, a caller that did not say who it is."""

# The table "Response codes" of the platform's documentation.
PLATFORM_CODES = (0, 400, 401, 402, 403, 404, 409, 413, 415, 435, 441, 450, 500, 501)
_KINDS = tuple(kind for kind in vars(errors).values() if isinstance(kind, errors.ErrorKind))
OWN_CODES = tuple(sorted({kind.code for kind in _KINDS}))
OWN_ERRORS = (*sorted(kind.name for kind in _KINDS), CALLER_GONE)
_CODE_LABELS = MappingProxyType({code: str(code) for code in (*PLATFORM_CODES, *OWN_CODES)})

FAILURE_KINDS: tuple[str, ...] = get_args(FailureKind)
CACHE_RESULTS: tuple[str, ...] = get_args(CacheResult)
FLIGHT_ROLES: tuple[str, ...] = get_args(FlightRole)
FLIGHT_OUTCOMES: tuple[str, ...] = get_args(FlightOutcome)
RETRY_REASONS: tuple[str, ...] = tuple(trouble.value for trouble in Trouble)
CONVERSIONS: tuple[str, ...] = get_args(Conversion)
SINKS = ("log", "error", "reply", "status", "explain", "journal", "redis", "trace")
REDIS_OPERATIONS = (
    *("connect", "beat"),
    *("lookup", "begin_read", "still_valid", "store", "begin_write", "end_write", "purge"),
    *("load", "swap", "follow", "take"),
)
PACED = ("waited", "refused")
STORE_OPERATIONS = (
    ("journal", "open"),
    ("journal", "write"),
    *(("redis", operation) for operation in REDIS_OPERATIONS),
)


@dataclass(frozen=True, slots=True)
class Names:
    """The label values that a configuration brings."""

    methods: tuple[ApiMethod, ...]
    accounts: tuple[str, ...]
    tokens: tuple[tuple[str, str], ...]  # account and token name
    callers: tuple[str, ...]


class ClosedSet:
    """Names that may be label values. A reload may add to them; none goes, since its series stays too."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name: name for name in names}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        self._names[name] = name

    def label(self, name: str) -> str:
        return self._names.get(name, OTHER)


def code_label(code: int | None) -> str:
    return OTHER if code is None else _CODE_LABELS.get(code, OTHER)
