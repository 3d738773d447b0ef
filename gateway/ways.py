"""The way to each account's platform: its connections, and what stands in front of them.

A reload keeps every part whose plan did not change: connections stay open, a tripped breaker stays tripped,
places in the queue stay taken. So a new ttl closes no connection, and nobody can close a breaker by touching
the configuration. Refuses to close anything: what is no longer used may still carry a call.
"""

import dataclasses
import hashlib
import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from gateway.errors import UNPLACED, Problem, SettingsError
from gateway.occurrence import event
from gateway.policy.breaker import Breaker, BreakerRule, State
from gateway.policy.budget import RetryBudget
from gateway.policy.retrying import RetryRule
from gateway.settings.model import Settings
from gateway.settings.upstream import Tls
from gateway.upstream import tls, transports
from gateway.upstream.admission import Admission
from gateway.upstream.options import TransportOptions
from gateway.upstream.sender import Guards
from gateway.upstream.transports import Transport, TransportName

log = logging.getLogger(__name__)

_SAID: Mapping[State, str] = MappingProxyType(
    {
        State.OPEN: "the breaker of account %s is open: the platform mostly failed and is left alone",
        State.HALF_OPEN: "the breaker of account %s lets one call through to see how the platform is",
        State.CLOSED: "the breaker of account %s is closed again: the platform answered",
    }
)


@dataclass(frozen=True, slots=True)
class Trust:
    """TLS towards the platform. Equal where the settings are, and the content of the files they name."""

    settings: Tls
    files: tuple[bytes, ...] = field(repr=False)
    context: ssl.SSLContext = field(compare=False, repr=False)

    @classmethod
    def load(cls, settings: Tls) -> "Trust":
        """Raises SettingsError that names the file which cannot be used. Takes tens of milliseconds."""
        try:
            context = tls.build_context(
                verify=settings.verify,
                ca_file=_text(settings.ca_file),
                client_cert=_text(settings.client_cert),
                client_key=_text(settings.client_key),
            )
        except ValueError as error:
            raise SettingsError((Problem(UNPLACED, "upstream.tls", str(error)),)) from error
        return cls(settings, tuple(_digests(settings)), context)

    def is_current(self, settings: Tls) -> bool:
        """Whether loading again would give the same: a renewed certificate has the old one's name."""
        return self.settings == settings and self.files == tuple(_digests(settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a way is built from."""

    base_url: str
    transport: TransportName
    options: TransportOptions  # without the TLS context
    trust: Trust
    admission: tuple[int, int, float]  # running, queued, seconds of patience
    breaker: BreakerRule
    budget: float
    retrying: RetryRule


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one account's platform, which calls and downloads share."""

    plan: Plan
    transport: Transport
    guards: Guards


Ways = Mapping[str, Way]
"""By account."""


def ways(settings: Settings, trust: Trust, old: Ways) -> dict[str, Way]:
    """A way for every account, with all that can be kept of `old`."""
    return {
        name: _way(name, _plan(settings, account.base_url, trust), old.get(name))
        for name, account in settings.all_accounts().items()
    }


def unused(old: Ways, new: Ways) -> tuple[Transport, ...]:
    """The transports that no new way has kept."""
    kept = {id(way.transport) for way in new.values()}
    return tuple(way.transport for way in old.values() if id(way.transport) not in kept)


def _way(account: str, plan: Plan, old: Way | None) -> Way:
    if old is None or old.plan.base_url != plan.base_url:  # another platform: nothing known of it is of use
        guards = Guards(
            Admission(*plan.admission), _breaker(account, plan), RetryBudget(plan.budget), plan.retrying
        )
        return Way(plan, _transport(plan), guards)
    was, kept = old.plan, old.guards
    guards = Guards(
        admission=kept.admission if plan.admission == was.admission else Admission(*plan.admission),
        breaker=kept.breaker if plan.breaker == was.breaker else _breaker(account, plan),
        budget=kept.budget if plan.budget == was.budget else RetryBudget(plan.budget),
        rule=plan.retrying,
    )
    same = (plan.transport, plan.options, plan.trust) == (was.transport, was.options, was.trust)
    return Way(plan, old.transport if same else _transport(plan), guards)


def _breaker(account: str, plan: Plan) -> Breaker:
    return Breaker(plan.breaker, _teller(account))


def _teller(account: str) -> Callable[[State], None]:
    """Says in the log what a breaker does: calls are kept back from here on, or no longer."""

    def tell(state: State) -> None:
        level = logging.WARNING if state is State.OPEN else logging.INFO
        log.log(
            level, _SAID[state], account, extra=event("breaker_changed", account=account, state=state.value)
        )

    return tell


def _transport(plan: Plan) -> Transport:
    return transports.build(plan.transport, dataclasses.replace(plan.options, ssl_context=plan.trust.context))


def _plan(settings: Settings, base_url: str, trust: Trust) -> Plan:
    limits, upstream = settings.limits, settings.upstream
    retries, breaker = upstream.retries, upstream.breaker
    return Plan(
        base_url=base_url,
        transport=upstream.transport.value,
        options=TransportOptions(
            max_connections=upstream.max_connections,
            keepalive=upstream.keepalive,
            connect_timeout=upstream.timeouts.connect,
            first_byte_timeout=upstream.timeouts.first_byte,
            header_bytes=limits.header_bytes,
            headers=limits.headers,
            reply_bytes=limits.reply_bytes,
        ),
        trust=trust,
        admission=(
            min(limits.max_in_flight, upstream.max_connections),
            limits.max_queued,
            limits.queue_timeout,
        ),
        breaker=BreakerRule(
            failure_ratio=breaker.failure_ratio,
            min_calls=breaker.min_calls,
            window=breaker.window,
            open_for=breaker.open_for,
            probe_timeout=upstream.timeouts.total,
        ),
        budget=retries.budget,
        retrying=RetryRule(
            attempts=retries.attempts, backoff=retries.backoff, max_backoff=retries.max_backoff
        ),
    )


def _digests(settings: Tls) -> Iterator[bytes]:
    """What the named files hold, as digests: one of them is a private key. b"" for what cannot be read."""
    for path in (settings.ca_file, settings.client_cert, settings.client_key):
        try:
            yield b"" if path is None else hashlib.sha256(path.read_bytes()).digest()
        except OSError:
            yield b""


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
