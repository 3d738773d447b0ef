"""The figures of one case as a picture: a bar per peer, on a logarithmic scale, since peers lie a hundredfold
apart. Plain SVG, in colours that can be read on light and on dark.
"""

import math
from collections.abc import Sequence
from html import escape

WIDTH, ROW, LEFT, RIGHT = 720, 28, 210, 90
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#555}.name{text-anchor:end}.bar{fill:#8aa4c8}"
    ".first{fill:#2f6fd0}.grid{stroke:#8888;stroke-dasharray:2 4}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)


def bars(title: str, unit: str, values: Sequence[tuple[str, float]]) -> str:
    """An SVG document; the first bar is ours. Values are greater than 0."""
    low = 10 ** math.floor(math.log10(min(value for _, value in values)))
    high = 10 ** math.ceil(math.log10(max(value for _, value in values)) + 1e-9)
    scale = (WIDTH - LEFT - RIGHT) / math.log10(high / low)
    height = ROW * (len(values) + 2)

    def at(value: float) -> float:
        return LEFT + scale * math.log10(value / low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text x="{LEFT}" y="18">{escape(title)}, {escape(unit)}</text>',
    ]
    for step in range(round(math.log10(high / low)) + 1):
        x = at(low * 10**step)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{ROW}" y2="{height - ROW}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{low * 10**step:g}</text>')
    for number, (name, value) in enumerate(values):
        y = ROW * (number + 1)
        kind = "bar first" if number == 0 else "bar"
        parts.append(f'<text class="name" x="{LEFT - 10}" y="{y + 18}">{escape(name)}</text>')
        size = f'width="{at(value) - LEFT:.1f}" height="{ROW - 10}"'
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y + 5}" {size}/>')
        parts.append(f'<text x="{at(value) + 6:.1f}" y="{y + 18}">{value:.0f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
