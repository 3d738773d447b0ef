"""The metrics page, read by Prometheus' own parser, and what changed in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.caller import Caller

Labels = frozenset[tuple[str, str]]


class Page(Mapping[tuple[str, Labels], float]):
    """One scrape: sample name and labels -> value."""

    def __init__(self, text: str) -> None:
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __getitem__(self, key: tuple[str, Labels]) -> float:
        return self._values[key]

    def __iter__(self) -> Iterator[tuple[str, Labels]]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def value(self, name: str, **labels: str) -> float:
        """The sample of exactly these labels; 0 when there is none."""
        return self._values.get((name, frozenset(labels.items())), 0.0)


def scrape(caller: Caller) -> Page:
    """All series. Prometheus' parser takes half a second for them."""
    return Page(_text(caller))


def scrape_used(caller: Caller) -> Page:
    """The series that are not zero, which is quick."""
    lines = _text(caller).splitlines(keepends=True)
    return Page("".join(line for line in lines if not line.endswith((" 0\n", " 0.0\n"))))


def _text(caller: Caller) -> str:
    reply = caller.get("/metrics")
    assert reply.status == 200
    return reply.body.decode()


class Changes:
    """How much counters grew, known once the counting is over."""

    def __init__(self) -> None:
        self._grown: dict[tuple[str, Labels], float] = {}

    def note(self, before: Page, after: Page) -> None:
        self._grown = {
            key: after[key] - before.get(key, 0.0) for key in after if after[key] != before.get(key, 0.0)
        }

    def of(self, metric: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The growth of a metric's series, by the values of `labels`, which have to be all it has."""
        return {
            tuple(dict(key)[label] for label in labels): grown
            for (name, key), grown in self._grown.items()
            if name == metric and {label for label, _ in key} == set(labels)
        }

    @property
    def requests(self) -> dict[tuple[str, ...], float]:
        """gateway_requests_total by api_method, code and origin."""
        return self.of("gateway_requests_total", "api_method", "code", "origin")


@contextmanager
def counting(caller: Caller) -> Iterator[Changes]:
    """What the calls made in this block did to the metrics."""
    changes, before = Changes(), scrape_used(caller)
    yield changes
    changes.note(before, scrape_used(caller))
