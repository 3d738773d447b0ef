"""What `check` and the start say about settings that are right, but not the whole story."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from gateway.errors import Problem
from gateway.settings.exposure import exposed_files
from gateway.settings.loading import Configuration
from gateway.settings.model import Settings
from gateway.settings.structure import KeyPath

WITHOUT_EFFECT: tuple[tuple[str, ...], ...] = (("upstream", "compression"),)
"""What is accepted and does nothing yet; `*` is any name. A feature that arrives takes its lines away."""


def notices(configuration: Configuration) -> tuple[Problem, ...]:
    """What to say, each with its place. None of it keeps the gateway from starting."""
    return (*_without_effect(configuration), *_risks(configuration))


def _without_effect(configuration: Configuration) -> Iterator[Problem]:
    defaults = Settings()
    for pattern in WITHOUT_EFFECT:
        # Behind a `*` is what an operator added: nothing there has a default but null.
        default = None if "*" in pattern else next(_found(defaults, pattern))[1]
        for path, value in _found(configuration.settings, pattern):
            if value != default:
                yield configuration.problem(path, "accepted, without effect in this version")


def _found(value: Any, pattern: tuple[str, ...]) -> Iterator[tuple[KeyPath, Any]]:
    """Each place that the pattern names, with its value."""
    if not pattern:
        yield (), value
        return
    first, *rest = pattern
    for key in value if first == "*" else (first,):
        inner = value[key] if isinstance(value, Mapping) else getattr(value, key)
        for path, found in _found(inner, tuple(rest)):
            yield (key, *path), found


def _risks(configuration: Configuration) -> Iterator[Problem]:
    settings = configuration.settings
    if settings.redis.url is not None and not settings.uses_redis:
        yield configuration.problem(
            ("redis", "url"),
            "is not used: neither cache.store nor dedup.store says redis, and upstream.rate is not set",
        )
    if not settings.upstream.tls.verify:
        yield configuration.problem(
            ("upstream", "tls", "verify"), "is off: whoever sits between here and the platform gets the token"
        )
    for path, text in exposed_files(settings):
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
