"""Which traces are recorded: the samplers that OpenTelemetry names, as one decision.

The whole trace is in or out: a call that has a parent follows it where the sampler is parent-based, and a
ratio is taken of the trace's id, so that every service with the same ratio decides alike. Refuses to draw
lots: the id is the chance.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_IDS = 2**64
"""A ratio looks at the last 64 bits of a trace's id, the ones that are random in every implementation."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """`share` 0..1 of the traces that begin here, or of all where `follows_parent` is False."""

    share: float = 1.0
    follows_parent: bool = True

    def samples(self, trace_id: str, parent_sampled: bool | None) -> bool:
        """Whether to record. `parent_sampled` is None for a trace that begins here."""
        if self.follows_parent and parent_sampled is not None:
            return parent_sampled
        if self.share >= 1.0:
            return True
        return int(trace_id[-16:], 16) < round(self.share * _IDS)


_SAMPLERS: Mapping[str, tuple[float | None, bool]] = MappingProxyType(
    {
        "always_on": (1.0, False),
        "always_off": (0.0, False),
        "traceidratio": (None, False),
        "parentbased_always_on": (1.0, True),
        "parentbased_always_off": (0.0, True),
        "parentbased_traceidratio": (None, True),
    }
)
"""Shares, None for the one that the argument names; and whether the parent decides first."""

SAMPLERS = tuple(_SAMPLERS)


def sampling(sampler: str, argument: str) -> Sampling:
    """From the values of OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG, "" where they are not set. Raises
    ValueError with what is wrong."""
    name = sampler.strip().lower() or "parentbased_always_on"
    if name not in _SAMPLERS:
        raise ValueError(f"OTEL_TRACES_SAMPLER: {sampler!r} is none of {', '.join(SAMPLERS)}")
    share, follows_parent = _SAMPLERS[name]
    return Sampling(_share(argument) if share is None else share, follows_parent)


def _share(argument: str) -> float:
    if not argument.strip():
        return 1.0  # the specification's default
    try:
        share = float(argument)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"OTEL_TRACES_SAMPLER_ARG: {argument!r} is no share between 0 and 1")
    return share
