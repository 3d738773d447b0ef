"""From settings to the parts that answer calls: the one place where they are put together.

Nothing here runs yet, and nothing is started: what needs starting and stopping is in the `Runtime` that comes
out.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from gateway.catalogue.model import Catalogue
from gateway.catalogue.overriding import override
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.dataplane import CallRules
from gateway.downloads import Downloads
from gateway.errors import SettingsError
from gateway.intake import Intake
from gateway.listener import DownloadRoute
from gateway.offload import Offload
from gateway.outgoing import Dialect, Writer
from gateway.pipeline import Account, Pipeline
from gateway.presentation import Presentation, Scrub
from gateway.records import AttemptRecord, FlightOutcome
from gateway.routing import MethodPolicy, Router, allowed_hosts, base_paths
from gateway.settings.loading import Configuration
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.settings.model import Account as AccountSettings
from gateway.settings.sections import DefaultFormat, UnknownMethod
from gateway.settings.upstream import Upstream
from gateway.tasks import TaskOwner
from gateway.tokens.keeper import TokenKeeper
from gateway.upstream import tls, transports
from gateway.upstream.admission import Admission
from gateway.upstream.options import TransportOptions
from gateway.upstream.sender import Sender
from gateway.upstream.transports import Transport

DOWNLOAD_SHARE = 4
"""One connection in so many may be a download's."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the parts need and do not own: they outlive any one configuration."""

    owner: TaskOwner
    offload: Offload
    scrub: Scrub
    clock: Callable[[], float]  # monotonic, and the same as the loop's
    observe_attempt: Callable[[AttemptRecord], None]
    flight_ended: Callable[[str, FlightOutcome], None]


@dataclass(frozen=True, slots=True)
class Runtime:
    """One configuration, ready to answer calls."""

    settings: Settings
    catalogue: Catalogue
    rules: CallRules
    downloads: tuple[DownloadRoute, ...]
    transports: Mapping[str, Transport]  # by account
    admissions: Mapping[str, Admission]

    async def aclose(self) -> None:
        for transport in self.transports.values():
            await transport.aclose()


Keepers = Mapping[str, Mapping[str, TokenKeeper]]
"""By account and token name."""


def assemble(settings: Settings, catalogue: Catalogue, keepers: Keepers, around: Surroundings) -> Runtime:
    """`catalogue` is the shipped one; the operator's rules are applied here."""
    methods = effective_catalogue(settings, catalogue)
    context = _tls_context(settings.upstream)
    ways = {name: _Way(_transport(settings, context), _admission(settings)) for name in keepers}
    accounts = {
        name: Account(
            tokens=keepers[name],
            writer=Writer(dialect(settings, account), methods),
            sender=_sender(name, settings, ways[name], around),
            repeatable=settings.upstream.request_id_header is not None,
        )
        for name, account in settings.all_accounts().items()
    }
    return Runtime(
        settings=settings,
        catalogue=methods,
        rules=_rules(settings, _router(settings, methods), accounts, around),
        downloads=tuple(
            _download_route(name, settings, accounts[name], ways[name], around) for name in accounts
        ),
        transports={name: way.transport for name, way in ways.items()},
        admissions={name: way.admission for name, way in ways.items()},
    )


def effective_catalogue(settings: Settings, shipped: Catalogue) -> Catalogue:
    """The catalogue with the operator's rules over it."""
    return override(shipped, settings.method_changes())


def intake(settings: Settings, offload: Offload) -> Intake:
    """How calls are read."""
    as_request = settings.replies.default_format is DefaultFormat.AS_REQUEST
    return Intake(_body_limits(settings), None if as_request else Format.JSON, offload)


def method_policy(settings: Settings) -> MethodPolicy:
    """Which methods may be called."""
    policy = settings.method_policy
    return MethodPolicy(policy.unknown is UnknownMethod.FORWARD, tuple(policy.deny))


def dialect(settings: Settings, account: AccountSettings) -> Dialect:
    """How the platform of an account is spoken to."""
    upstream = settings.upstream
    return Dialect(
        account.base_url, Format(upstream.format), account.token_placement, upstream.request_id_header
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """The way to one account's platform, which calls and downloads share."""

    transport: Transport
    admission: Admission


def _rules(
    settings: Settings, router: Router, accounts: Mapping[str, Account], around: Surroundings
) -> CallRules:
    limits = settings.limits
    return CallRules(
        router=router,
        policy=method_policy(settings),
        pipeline=Pipeline(
            intake=intake(settings, around.offload),
            accounts=accounts,
            presentation=Presentation(_body_limits(settings), around.offload, around.scrub),
            owner=around.owner,
            flight_ended=around.flight_ended,
            total_timeout=settings.upstream.timeouts.total,
        ),
        allowed_hosts=allowed_hosts(settings.allowed_hosts),
        body_bytes=limits.body_bytes,
        xml_bytes=limits.xml_bytes,
        body_timeout=limits.body_timeout,
        caller_header=settings.callers.header.lower().encode("ascii"),
        known_callers=frozenset(settings.callers.known),
    )


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(settings.limits.depth, settings.limits.elements)


def _router(settings: Settings, methods: Catalogue) -> Router:
    paths = {
        name: urlsplit(account.base_url).path.rstrip("/") for name, account in settings.all_accounts().items()
    }
    return Router(base_paths(paths, DEFAULT_ACCOUNT), methods)


def _sender(name: str, settings: Settings, way: _Way, around: Surroundings) -> Sender:
    return Sender(
        name, way.transport, way.admission, _body_limits(settings), around.observe_attempt, around.clock
    )


def _admission(settings: Settings) -> Admission:
    limits = settings.limits
    running = min(limits.max_in_flight, settings.upstream.max_connections)
    return Admission(running, limits.max_queued, limits.queue_timeout)


def _download_admission(settings: Settings) -> Admission:
    """Downloads last long, so they have places of their own, and few: calls must not wait for them."""
    running = max(1, settings.upstream.max_connections // DOWNLOAD_SHARE)
    return Admission(running, settings.limits.max_queued, settings.limits.queue_timeout)


def _transport(settings: Settings, context: ssl.SSLContext) -> Transport:
    upstream, limits = settings.upstream, settings.limits
    return transports.build(
        upstream.transport.value,
        TransportOptions(
            max_connections=upstream.max_connections,
            keepalive=upstream.keepalive,
            connect_timeout=upstream.timeouts.connect,
            first_byte_timeout=upstream.timeouts.first_byte,
            header_bytes=limits.header_bytes,
            headers=limits.headers,
            reply_bytes=limits.reply_bytes,
            ssl_context=context,
        ),
    )


def verify(configuration: Configuration) -> None:
    """What can be found out beside the settings themselves: whether the files they name can be used.

    Raises SettingsError. `check` asks this too, so that it does not pass what `serve` refuses.
    """
    try:
        _tls_context(configuration.settings.upstream)
    except ValueError as error:
        raise SettingsError((configuration.problem(("upstream", "tls"), str(error)),)) from error


def _tls_context(upstream: Upstream) -> ssl.SSLContext:
    files = upstream.tls
    return tls.build_context(
        verify=files.verify,
        ca_file=_text(files.ca_file),
        client_cert=_text(files.client_cert),
        client_key=_text(files.client_key),
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _download_route(
    name: str, settings: Settings, account: Account, way: _Way, around: Surroundings
) -> DownloadRoute:
    path = settings.upstream.download_path.rstrip("/")
    base = urlsplit(settings.all_accounts()[name].base_url)
    downloads = Downloads(
        httpx.URL(f"{base.scheme}://{base.netloc}"),
        path.encode("ascii"),
        way.transport,
        _download_admission(settings),
        around.owner,
        around.scrub,
        settings.upstream.timeouts.first_byte,
    )
    return DownloadRoute(base_paths({name: path}, DEFAULT_ACCOUNT)[name].encode("ascii"), account, downloads)
