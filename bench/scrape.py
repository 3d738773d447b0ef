"""How long one scrape of /metrics holds up the event loop, with many methods.

    python -m bench.scrape [--methods 200] [--scrapes 200]

A bystander on the same loop asks for its turn all the time, as a call in flight would; what is shown is the
longest that it had to wait, of each scrape, and how long the scrape took as a whole.
"""

import argparse
import asyncio
import gc
import statistics
import time

import uvloop
from prometheus_client import CollectorRegistry

from gateway.catalogue.model import ApiMethod, Effect
from gateway.observe.labels import Names
from gateway.observe.metrics import Metrics


class Bystander:
    """Asks for its turn, and notes the longest wait, in seconds."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._longest = 0.0
        self._task = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            self._longest, self._last = max(self._longest, now - self._last), now

    async def restart(self) -> None:
        await asyncio.sleep(0)
        self._longest = 0.0

    async def longest(self) -> float:
        """Since the restart."""
        await asyncio.sleep(0)
        return self._longest

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def metrics_of(methods: int) -> Metrics:
    """Every code of every method is there from the start. Half of the methods read, one in ten is a batch."""
    known = tuple(
        ApiMethod(
            f"family{number % 20}/method_{number}",
            Effect.READ if number % 2 else Effect.MODIFY,
            item_results=None if number % 10 else "result",
        )
        for number in range(methods)
    )
    names = Names(known, ("default",), (("default", "default"),), ())
    return Metrics(CollectorRegistry(auto_describe=False), names, version="bench", started_at=time.time())


async def measure(methods: int, scrapes: int) -> None:
    metrics, bystander = metrics_of(methods), Bystander()
    gc.freeze()
    waits, whole, page = [], [], b""
    for _ in range(scrapes):
        await bystander.restart()
        started = time.perf_counter()
        page, _ = await metrics.scrape("")
        whole.append(time.perf_counter() - started)
        waits.append(await bystander.longest())
    await bystander.aclose()
    lines = len(page.splitlines())
    print(f"{methods} methods: {lines} lines, {len(page) / 1e3:.0f} kB, {scrapes} scrapes")
    print(f"longest turn of a scrape: median {_ms(statistics.median(waits))}, worst {_ms(max(waits))}")
    print(f"a scrape as a whole:      median {_ms(statistics.median(whole))}, worst {_ms(max(whole))}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--methods", type=int, default=200)
    parser.add_argument("--scrapes", type=int, default=200)
    options = parser.parse_args()
    uvloop.run(measure(options.methods, options.scrapes))


if __name__ == "__main__":
    main()
