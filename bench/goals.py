"""What the gateway set itself, and whether a run reached it. Ratios of one run only, but for time and memory,
which have a bound of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cases import BATCH, CACHED_READ, JSON_WRITE, ONE_CALLER, XML_WRITE, Case
from bench.measure import Figures
from bench.peer import Peer
from bench.peers import envoy_lua, gateway, handmade, litellm, mitmproxy, nginx_lua, straight, uvicorn_alone

Found = Sequence[Figures]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is measured, its upper bound, and how it is read off a run; None when somebody was left out."""

    text: str
    at_most: float
    unit: str
    read: Callable[[Found], float | None]

    def row(self, found: Found) -> tuple[str, str, str, str]:
        """The goal, its bound, what the run says, and whether that holds."""
        value = self.read(found)
        bound = f"{self.at_most:g} {self.unit}"
        if value is None:
            return (self.text, bound, "not measured", "")
        return (self.text, bound, f"{value:.3g} {self.unit}", "yes" if value <= self.at_most else "**no**")


def cpu_micros(figures: Figures) -> float:
    """CPU per call, the median of the rounds, in microseconds."""
    return median(sample.cpu_seconds for sample in figures.samples) * 1e6


def p50_millis(figures: Figures) -> float:
    """As the callers saw it, the median of the rounds, in milliseconds."""
    return median(sample.tally.p50 for sample in figures.samples) * 1e3


def _one(found: Found, peer: Peer, case: Case) -> Figures | None:
    return next((each for each in found if (each.peer, each.case) == (peer, case)), None)


def _cpu(case: Case, peer: Peer, other: Case) -> Callable[[Found], float | None]:
    """Our CPU in one case as a multiple of a peer's in another."""

    def read(found: Found) -> float | None:
        ours, theirs = _one(found, gateway.PEER, case), _one(found, peer, other)
        return None if ours is None or theirs is None else cpu_micros(ours) / cpu_micros(theirs)

    return read


def _added_latency(found: Found) -> float | None:
    ours, none = _one(found, gateway.PEER, ONE_CALLER), _one(found, straight.PEER, ONE_CALLER)
    return None if ours is None or none is None else p50_millis(ours) - p50_millis(none)


def _at_rest(found: Found) -> float | None:
    ours = _one(found, gateway.PEER, JSON_WRITE)
    return None if ours is None else ours.rest_bytes / 1e6


GOALS = (
    Goal("a JSON write, to one of Envoy + Lua", 1.0, "x", _cpu(JSON_WRITE, envoy_lua.PEER, JSON_WRITE)),
    Goal(
        "a cached read, to what Envoy + Lua forwards", 0.5, "x", _cpu(CACHED_READ, envoy_lua.PEER, JSON_WRITE)
    ),
    Goal("a cached read, to uvicorn alone", 1.5, "x", _cpu(CACHED_READ, uvicorn_alone.PEER, CACHED_READ)),
    Goal("an XML write, to a JSON write", 1.3, "x", _cpu(XML_WRITE, gateway.PEER, JSON_WRITE)),
    Goal("a JSON write, to mitmproxy", 0.1, "x", _cpu(JSON_WRITE, mitmproxy.PEER, JSON_WRITE)),
    Goal(
        "a JSON write, to Starlette + httpx by hand", 0.05, "x", _cpu(JSON_WRITE, handmade.PEER, JSON_WRITE)
    ),
    Goal("a JSON write, to LiteLLM", 1 / 70, "x", _cpu(JSON_WRITE, litellm.PEER, JSON_WRITE)),
    Goal("a 77 KB batch, to nginx + Lua", 2.0, "x", _cpu(BATCH, nginx_lua.PEER, BATCH)),
    Goal("latency that the gateway adds for one caller, p50", 0.5, "ms", _added_latency),
    Goal("memory at rest", 70.0, "MB", _at_rest),
)
