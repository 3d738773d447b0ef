"""From settings to the parts that answer calls: the one place where they are put together.

Nothing here runs yet, and nothing is started: what needs starting and stopping is in the `Runtime` that comes
out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx

from gateway.account import Account
from gateway.catalogue.model import ApiMethod, Catalogue
from gateway.catalogue.overriding import override
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.dataplane import CallRules
from gateway.downloads import Downloads
from gateway.flights import Flights
from gateway.intake import Intake
from gateway.keyring import Keyring
from gateway.listener import DownloadRoute, ListenerLimits
from gateway.offload import Offload
from gateway.outgoing import Dialect, Writer
from gateway.pipeline import Pipeline
from gateway.policy.freshness import FreshnessRule, Lifetime
from gateway.policy.tags import TagRule
from gateway.presentation import Presentation, Scrub
from gateway.reads import ReadRule, Reads
from gateway.records import FlightOutcome
from gateway.room import Room
from gateway.routing import MethodPolicy, Router, allowed_hosts, base_paths
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.settings.model import Account as AccountSettings
from gateway.settings.sections import DefaultFormat, UnknownMethod
from gateway.stores.cache import CacheStore
from gateway.tasks import TaskOwner, Users
from gateway.upstream.admission import Admission
from gateway.upstream.client import Reading
from gateway.upstream.pacing import Bucket, Pacer
from gateway.upstream.sender import Sender, Watchers
from gateway.ways import Trust, Way, Ways
from gateway.ways import ways as plan_ways
from gateway.writes import WriteRules, Writes

DOWNLOAD_SHARE = 4
"""One connection in so many may be a download's."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the parts need and do not own: they outlive any one configuration."""

    owner: TaskOwner
    offload: Offload
    flights: Flights
    cache: CacheStore
    bucket: Callable[[str, str, float], Bucket]  # the turns of an account: its name, base URL and rate
    scrub: Scrub
    scrub_kept: Scrub
    clock: Callable[[], float]  # monotonic, and the same as the loop's
    chance: Callable[[], float]  # evenly spread over 0..1
    watchers: Watchers
    flight_ended: Callable[[str, FlightOutcome], None]


@dataclass(frozen=True, slots=True)
class Runtime:
    """One configuration, ready to answer calls. The ways may be shared with the one before it."""

    settings: Settings
    catalogue: Catalogue
    rules: CallRules
    downloads: tuple[DownloadRoute, ...]
    listener: ListenerLimits
    ways: Ways
    trust: Trust
    pacers: tuple[Pacer, ...]

    @property
    def queued(self) -> int:
        """Calls that wait for a free place or for their turn."""
        places = sum(way.guards.admission.queued for way in self.ways.values())
        return places + sum(pacer.waiting for pacer in self.pacers)

    async def aclose(self) -> None:
        for way in self.ways.values():
            await way.transport.aclose()


def assemble(
    settings: Settings,
    catalogue: Catalogue,
    keyring: Keyring,
    trust: Trust,
    around: Surroundings,
    old_ways: Ways = MappingProxyType({}),
) -> Runtime:
    """`catalogue` is the shipped one; the operator's rules are applied here. Of `old_ways` is kept what the
    settings have not changed."""
    ways = plan_ways(settings, trust, old_ways)
    methods = effective_catalogue(settings, catalogue)
    pacers = _pacers(settings, around)
    accounts = {
        name: Account(
            name=name,
            base_url=account.base_url,
            tokens=keyring.account(name),
            writer=Writer(dialect(settings, account), methods),
            sender=_sender(name, settings, ways[name], pacers.get(name), around),
            repeatable=settings.upstream.request_id_header is not None,
        )
        for name, account in settings.all_accounts().items()
    }
    return Runtime(
        settings=settings,
        catalogue=methods,
        rules=_rules(settings, methods, accounts, around),
        downloads=tuple(
            _download_route(name, settings, accounts[name], ways[name], around) for name in accounts
        ),
        listener=listener_limits(settings),
        ways=ways,
        trust=trust,
        pacers=tuple(pacers.values()),
    )


def effective_catalogue(settings: Settings, shipped: Catalogue) -> Catalogue:
    """The catalogue with the operator's rules over it."""
    return override(shipped, settings.method_changes())


def intake(settings: Settings, offload: Offload) -> Intake:
    """How calls are read."""
    as_request = settings.replies.default_format is DefaultFormat.AS_REQUEST
    return Intake(_body_limits(settings), None if as_request else Format.JSON, offload)


def listener_limits(settings: Settings) -> ListenerLimits:
    """What connections may take."""
    limits = settings.limits
    return ListenerLimits(
        connections=limits.connections,
        header_bytes=limits.header_bytes,
        headers=limits.headers,
        head_timeout=limits.head_timeout,
        body_timeout=limits.body_timeout,
        caller_header=settings.callers.header.lower().encode("ascii"),
    )


def method_policy(settings: Settings) -> MethodPolicy:
    """Which methods may be called at all."""
    policy = settings.method_policy
    return MethodPolicy(policy.unknown is UnknownMethod.FORWARD, tuple(policy.deny))


def dialect(settings: Settings, account: AccountSettings) -> Dialect:
    """How the platform of an account is spoken to."""
    upstream = settings.upstream
    return Dialect(
        account.base_url,
        Format(upstream.format),
        account.token_placement,
        upstream.request_id_header,
        upstream.compression,
    )


def _rules(
    settings: Settings, methods: Catalogue, accounts: Mapping[str, Account], around: Surroundings
) -> CallRules:
    limits = settings.limits
    return CallRules(
        router=_router(settings, methods),
        policy=method_policy(settings),
        pipeline=Pipeline(
            intake=intake(settings, around.offload),
            accounts=accounts,
            writes=_writes(settings, methods, around),
            reads=Reads(around.cache, around.owner, around.offload, read_rules(settings, methods)),
            presentation=Presentation(
                _body_limits(settings), around.offload, around.scrub, around.scrub_kept
            ),
            total_timeout=settings.upstream.timeouts.total,
        ),
        allowed_hosts=allowed_hosts(settings.allowed_hosts),
        room=Room(limits.bodies_bytes, limits.queue_timeout),
        body_bytes=limits.body_bytes,
        xml_bytes=limits.xml_bytes,
        known_callers=frozenset(settings.callers.known),
        users=Users(),
    )


def _writes(settings: Settings, methods: Catalogue, around: Surroundings) -> Writes:
    rules = WriteRules(
        dedup=settings.dedup.enabled,
        # A call that waits longest for a place and then takes its whole time.
        lease=settings.limits.queue_timeout + 2 * settings.upstream.timeouts.total,
        settle=settings.cache.settle,
    )
    return Writes(
        flights=around.flights,
        cache=around.cache,
        offload=around.offload,
        rules=rules,
        tag_rules={method.name: TagRule.of(method) for method in methods if method.effect.modifies},
        flight_ended=around.flight_ended,
    )


def read_rules(settings: Settings, methods: Catalogue) -> dict[str, ReadRule]:
    """What the cache needs to know of each reading method."""
    return {method.name: read_rule(settings, method) for method in methods if not method.effect.modifies}


def read_rule(settings: Settings, method: ApiMethod) -> ReadRule:
    """The rule of one reading method."""
    cache = settings.cache
    default = Lifetime(cache.default_ttl, cache.stale_while_revalidate, cache.stale_if_error)
    kept = FreshnessRule.of(method, default) if cache.enabled else FreshnessRule({})
    return ReadRule(kept, TagRule.of(method))


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(settings.limits.depth, settings.limits.elements)


def _router(settings: Settings, methods: Catalogue) -> Router:
    paths = {
        name: urlsplit(account.base_url).path.rstrip("/") for name, account in settings.all_accounts().items()
    }
    return Router(base_paths(paths, DEFAULT_ACCOUNT), methods)


def _pacers(settings: Settings, around: Surroundings) -> dict[str, Pacer]:
    rate = settings.upstream.rate
    if rate is None:
        return {}
    return {
        name: Pacer(
            around.bucket(name, account.base_url, rate),
            settings.limits.queue_timeout,
            around.clock,
            partial(around.watchers.held, name),
        )
        for name, account in settings.all_accounts().items()
    }


def _sender(name: str, settings: Settings, way: Way, pacer: Pacer | None, around: Surroundings) -> Sender:
    return Sender(
        name,
        way.transport,
        way.guards,
        Reading(around.offload, _body_limits(settings), settings.limits.reply_bytes),
        around.watchers,
        clock=around.clock,
        chance=around.chance,
        repeatable=settings.upstream.request_id_header is not None,
        pacer=pacer,
    )


def _download_admission(settings: Settings) -> Admission:
    """Downloads last long, so they have places of their own, and few: calls must not wait for them."""
    running = max(1, settings.upstream.max_connections // DOWNLOAD_SHARE)
    return Admission(running, settings.limits.max_queued, settings.limits.queue_timeout)


def _download_route(
    name: str, settings: Settings, account: Account, way: Way, around: Surroundings
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
