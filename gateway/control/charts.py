"""Two small charts as SVG: what became of calls, and how long they took. Without styles of their own: colours
come from the style sheet, so that they are right on dark and on light.
"""

import math
from collections.abc import Callable, Sequence

from gateway.control import wording
from gateway.control.html import Html, h
from gateway.control.status import TrafficPoint

WIDTH, HEIGHT = 600, 120
COLUMNS = 75
_STEP = WIDTH / COLUMNS
_LAYERS: tuple[tuple[str, Callable[[TrafficPoint], float]], ...] = (
    ("well", lambda point: point.well),
    ("caller", lambda point: point.caller),
    ("account", lambda point: point.account),
    ("platform", lambda point: point.platform),
    ("gateway", lambda point: point.gateway),
)


def calls(points: Sequence[TrafficPoint]) -> Html:
    """Calls per second, one column for each few seconds, stacked by whose turn it is."""
    shown = points[-COLUMNS:]
    top = _nice(max((_total(point) for point in shown), default=0.0), 1.0)
    bases = [0.0] * len(shown)
    layers = []
    for name, read in _LAYERS:
        heights = [read(point) / top * HEIGHT for point in shown]
        layers.append(h("path", class_=f"layer {name}", d=_columns(bases, heights)))
        bases = [base + height for base, height in zip(bases, heights, strict=True)]
    return _figure("Calls per second", wording.rate(top), layers, [_calls_at(point) for point in shown])


def latency(points: Sequence[TrafficPoint]) -> Html:
    """The median and the slowest hundredth."""
    shown = points[-COLUMNS:]
    top = _nice(max((point.p99_seconds or 0.0 for point in shown), default=0.0), 0.001)
    lines = [
        h("path", class_="line p99", d=_line([point.p99_seconds for point in shown], top)),
        h("path", class_="line p50", d=_line([point.p50_seconds for point in shown], top)),
    ]
    return _figure("Time to answer", wording.duration(top), lines, [_latency_at(point) for point in shown])


def _figure(name: str, top: str, drawn: list[Html], told: list[str]) -> Html:
    grid = [h("path", class_="grid", d=f"M0 {y}H{WIDTH}") for y in (0.5, HEIGHT / 2, HEIGHT - 0.5)]
    first = COLUMNS - len(told)
    hints = [
        h(
            "rect",
            h("title", text),
            class_="hint",
            x=_n((first + n) * _STEP),
            y=0,
            width=_n(_STEP),
            height=HEIGHT,
        )
        for n, text in enumerate(told)
    ]
    label = f"{name}, the last five minutes. {told[-1]}" if told else f"{name}: nothing yet"
    return h(
        "div",
        h("span", top, class_="top"),
        h(
            "svg",
            grid,
            drawn,
            hints,
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            preserveAspectRatio="none",
            role="img",
            aria_label=label,
        ),
        h("span", h("span", "5 min ago"), h("span", "now"), class_="axis", aria_hidden="true"),
        class_="chart",
    )


def _columns(bases: Sequence[float], heights: Sequence[float]) -> str:
    first = COLUMNS - len(heights)
    return "".join(
        f"M{_n((first + n) * _STEP + 0.75)} {_n(HEIGHT - base)}v{_n(-height)}h{_n(_STEP - 1.5)}v{_n(height)}z"
        for n, (base, height) in enumerate(zip(bases, heights, strict=True))
        if height > 0
    )


def _line(values: Sequence[float | None], top: float) -> str:
    """With a gap where there were no calls; a value between two gaps is a short dash."""
    first = COLUMNS - len(values)
    parts, is_drawing = [], False
    for n, value in enumerate(values):
        if value is None:
            is_drawing = False
            continue
        y = _n(HEIGHT - min(1.0, value / top) * (HEIGHT - 2) - 1)
        x = (first + n) * _STEP
        parts.append(f"L{_n(x + _STEP / 2)} {y}" if is_drawing else f"M{_n(x)} {y}H{_n(x + _STEP / 2)}")
        is_drawing = True
    return "".join(parts)


def _calls_at(point: TrafficPoint) -> str:
    parts = [(name, read(point)) for name, read in _LAYERS]
    failed = ", ".join(f"{name} {wording.rate(value)}" for name, value in parts if value and name != "well")
    return f"{wording.clock(point.time)}: {wording.rate(_total(point))} calls/s" + (
        f" ({failed})" if failed else ""
    )


def _latency_at(point: TrafficPoint) -> str:
    p50, p99 = wording.duration(point.p50_seconds), wording.duration(point.p99_seconds)
    return f"{wording.clock(point.time)}: p50 {p50}, p99 {p99}"


def _total(point: TrafficPoint) -> float:
    return sum(read(point) for _, read in _LAYERS)


def _nice(value: float, least: float) -> float:
    """The next of 1, 2, 5, 10, 20 ... that is not below."""
    value = max(value, least)
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value * 0.999)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
