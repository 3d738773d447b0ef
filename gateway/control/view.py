"""What of the page somebody wants to see: the parameters of its URL.

They work without a script, and a link to a view can be passed on. What cannot be understood counts as not
said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from gateway.control.report import WINDOWS
from gateway.control.status import FailedCall, MethodRow

SORTS = ("method", "calls", "failed", "hits", "p50", "p99")
USUAL_WINDOW = "5m"
USUAL_SORT = "-calls"
_LONGEST = 128


@dataclass(frozen=True, slots=True)
class View:
    """`sort` is one of SORTS, with a `-` for the largest first."""

    window: str = USUAL_WINDOW
    sort: str = USUAL_SORT
    text: str = ""
    failing: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "View":
        window, sort = query.get("window", ""), query.get("sort", "")
        return cls(
            window=window if window in WINDOWS else USUAL_WINDOW,
            sort=sort if sort.removeprefix("-") in SORTS else USUAL_SORT,
            text=query.get("q", "").strip()[:_LONGEST],
            failing=query.get("failing") == "1",
        )

    def link(self, **changes: str | bool) -> str:
        """The address of this view with changes, without what is as usual."""
        view = replace(self, **changes)  # type: ignore[arg-type]
        said = {
            "q": view.text,
            "failing": "1" if view.failing else "",
            "window": view.window if view.window != USUAL_WINDOW else "",
            "sort": view.sort if view.sort != USUAL_SORT else "",
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return f"?{query}" if query else "./"

    def methods(self, rows: tuple[MethodRow, ...]) -> list[MethodRow]:
        """Those that are wanted, in the order that is wanted."""
        wanted = [
            row
            for row in rows
            if (row.failed or not self.failing) and self._finds(row.api_method, *row.codes, *row.errors)
        ]
        by = self.sort.removeprefix("-")
        return sorted(wanted, key=lambda row: _key(row, by), reverse=self.sort.startswith("-"))

    def failures(self, rows: tuple[FailedCall, ...]) -> list[FailedCall]:
        return [
            row
            for row in rows
            if self._finds(
                row.api_method, row.called, str(row.code), row.error, row.account, row.caller, row.request_id
            )
        ]

    def _finds(self, *texts: str) -> bool:
        return not self.text or any(self.text.lower() in text.lower() for text in texts)


def _key(row: MethodRow, by: str) -> tuple[object, str]:
    values: dict[str, object] = {
        "method": "",
        "calls": row.calls,
        "failed": row.failed,
        "hits": -1.0 if row.hit_ratio is None else row.hit_ratio,
        "p50": row.p50_seconds or 0.0,
        "p99": row.p99_seconds or 0.0,
    }
    return values[by], row.api_method
