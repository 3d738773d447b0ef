"""The gateway's tracer, if it has one: `tracing.enabled` turns it on and off, also at a reload.

Refuses to touch calls: the data plane begins their traces, the records say how they ended.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import reduce
from urllib.parse import urlsplit

from gateway.catalogue.model import Catalogue
from gateway.errors import UNPLACED, Problem
from gateway.observe.tracing import opening
from gateway.observe.tracing.delivery import Figures
from gateway.observe.tracing.opening import TracingMeans
from gateway.observe.tracing.spans import Place, Spans
from gateway.observe.tracing.tracer import Tracer
from gateway.routing import base_paths
from gateway.settings.model import DEFAULT_ACCOUNT, Settings


class Tracing:
    """`tracer` is the one in use; None while nothing is traced."""

    def __init__(
        self,
        environ: Mapping[str, str],
        mask: Callable[[bytes], bytes],
        wall_clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """`mask` hides tokens, from any thread."""
        self.tracer: Tracer | None = None
        self._environ = environ
        self._means = TracingMeans(mask, wall_clock, random_bytes)
        self._former: list[Tracer] = []  # those that still send their last spans
        self._past = Figures()  # of those that have
        self._spare: Tracer | None = None

    def prepare(self, settings: Settings, catalogue: Catalogue) -> None:
        """Get ready for settings that may turn it on: loads what that takes, so better beside the loop."""
        if settings.tracing.enabled and self.tracer is None:
            self._spare = opening.open_tracer(self._environ, self._means, spans(settings, catalogue))

    def use(self, settings: Settings, catalogue: Catalogue) -> Tracer | None:
        """From now on by these settings, which were prepared. Returns the tracer that is put away: it is to
        be `put_away`."""
        if settings.tracing.enabled:
            if self.tracer is None and self._spare is not None:
                self.tracer, self._spare = self._spare, None
                self.tracer.start()
            if self.tracer is not None:
                self.tracer.spans = spans(settings, catalogue)
            return None
        former, self.tracer = self.tracer, None
        if former is not None:
            self._former.append(former)
        return former

    async def put_away(self, former: Tracer, patience: float) -> None:
        """Have a tracer send its last spans, for `patience` seconds at most."""
        await asyncio.to_thread(former.close, patience)
        self._former.remove(former)
        self._past = _sum(self._past, former.figures())

    def figures(self) -> Figures:
        """How many spans went which way since the start."""
        tracers = self._former if self.tracer is None else (*self._former, self.tracer)
        return reduce(_sum, (tracer.figures() for tracer in tracers), self._past)

    @property
    def state(self) -> tuple[bool, str] | None:
        """Whether spans arrive, and what there is to say; None while nothing is traced."""
        return None if self.tracer is None else self.tracer.state

    def close(self, patience: float) -> None:
        """Send what is left. Blocks for about `patience` seconds at most: to be run beside the loop."""
        if self.tracer is not None:
            self.tracer.close(patience)


def untraceable(settings: Settings, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """What keeps calls from being traced, before anything is loaded."""
    if not settings.tracing.enabled:
        return ()
    return tuple(Problem(UNPLACED, "tracing.enabled", text) for text in opening.unusable(environ))


def spans(settings: Settings, catalogue: Catalogue) -> Spans:
    """What makes spans of the records of calls under these settings."""
    accounts = settings.all_accounts()
    paths = {name: urlsplit(account.base_url).path.rstrip("/") for name, account in accounts.items()}
    bases = base_paths(paths, DEFAULT_ACCOUNT)
    places = {name: Place(account.base_url.rstrip("/"), bases[name]) for name, account in accounts.items()}
    return Spans(places, catalogue.methods)


def _sum(one: Figures, other: Figures) -> Figures:
    return Figures(one.sent + other.sent, one.failed + other.failed, one.dropped + other.dropped)
