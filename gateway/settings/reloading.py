"""Which settings a reload cannot take."""

from operator import attrgetter

from gateway.errors import Problem
from gateway.settings.loading import Configuration
from gateway.settings.model import Settings

_FIXED = {
    "listen": "the listening socket is kept",
    "limits.connections": "the limit belongs to the listening socket",
    "cache.store": "cached answers are kept where they are",
    "dedup.store": "flights are kept where they are",
    "dedup.on_store_failure": "it belongs to the store",
    "redis.timeout": "it belongs to the connection",
    "redis.prefix": "flights and cached answers are kept under it",
    "redis.url": "flights and cached answers are kept where they are",
    "dedup.journal": "flights are kept where they are",
}
"""Keys that stay as they were at the start, with the reason."""


def unreloadable(old: Settings, new: Configuration) -> tuple[Problem, ...]:
    """Each change from `old` to `new` that needs a restart. With any of them, the whole reload is refused."""
    needs_redis = new.settings.uses_redis and not old.uses_redis and old.redis.url is not None
    problems = [
        new.problem(tuple(key.split(".")), f"cannot change while the gateway runs ({reason}); restart it")
        for key, reason in _FIXED.items()
        if attrgetter(key)(old) != attrgetter(key)(new.settings)
    ]
    if needs_redis and not problems:
        reason = "it is shared through Redis, to which there is no connection yet"
        problems.append(
            new.problem(("upstream", "rate"), f"cannot begin while the gateway runs ({reason}); restart it")
        )
    return tuple(problems)
