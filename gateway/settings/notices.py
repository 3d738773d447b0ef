"""What `check` and the start say about settings that are right, but not the whole story."""

from collections.abc import Iterator
from ipaddress import ip_address

from gateway.errors import Problem, in_order
from gateway.settings.bounds import idle_bounds
from gateway.settings.exposure import exposed_files
from gateway.settings.loading import Configuration
from gateway.settings.model import Settings
from gateway.settings.rule_doubts import dubious_rules
from gateway.settings.sections import Store


def notices(configuration: Configuration) -> tuple[Problem, ...]:
    """What to say, each with its place. None of it keeps the gateway from starting."""
    return in_order(_risks(configuration))


def _risks(configuration: Configuration) -> Iterator[Problem]:
    settings = configuration.settings
    if settings.redis.url is not None and not settings.uses_redis:
        yield configuration.problem(
            ("redis", "url"),
            "is not used: neither cache.store nor dedup.store says redis, and upstream.rate is not set",
        )
    if (
        settings.dedup.store is Store.REDIS
        and settings.cache.enabled
        and settings.cache.store is Store.MEMORY
    ):
        yield configuration.problem(
            ("cache", "store"),
            "is memory while dedup.store is redis: a write through another gateway does not reach "
            "what this one has kept",
        )
    if not settings.upstream.tls.verify:
        yield configuration.problem(
            ("upstream", "tls", "verify"), "is off: whoever sits between here and the platform gets the token"
        )
    if settings.dedup.journal is not None and not settings.dedup.journal.absolute().parent.is_dir():
        yield configuration.problem(
            ("dedup", "journal"), "lies in a folder that is not there: repeats are not known across a crash"
        )
    for path, text in (*exposed_files(settings), *idle_bounds(settings), *dubious_rules(settings)):
        yield configuration.problem(path, text)
    names_changed = settings.allowed_hosts != Settings().allowed_hosts
    if settings.listen.uds is None and not _is_loopback(settings.listen.host) and not names_changed:
        yield configuration.problem(
            ("listen", "host"),
            "reaches beyond this machine, and callers are not asked who they are; "
            "allowed_hosts still names this machine only",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
