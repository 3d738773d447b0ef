"""A real Prometheus and a real Alertmanager on loopback, for the length of a block.

Both are started with the shipped configuration: only addresses are replaced, and times divided where a test
cannot wait for minutes.
"""

import json
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.dashboards.drawn import GRAFANA
from tests.e2e.caller import PATIENCE
from tests.e2e.waiting import until
from tests.tools import tool

PACKAGE = "Debian: prometheus-alertmanager"

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(?P<before>\[|for: )(?P<number>\d+)(?P<unit>[smhd])\b")


@dataclass(frozen=True)
class Sample:
    """One series of an answer: its labels, and its numbers."""

    labels: Mapping[str, str]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    address: str

    def at(self, expr: str, time: float | None = None) -> list[Sample]:
        """What a query gives at a moment, by default now."""
        moment = {} if time is None else {"time": time}
        found = self._ask("query", query=expr, **moment)["result"]
        return [Sample(one["metric"], (float(one["value"][1]),)) for one in found]

    def over(self, expr: str, start: float, end: float) -> list[Sample]:
        """What a query gives at each second between two times."""
        found = self._ask("query_range", query=expr, start=start, end=end, step=1)["result"]
        return [Sample(one["metric"], tuple(float(value) for _, value in one["values"])) for one in found]

    def values(self, label: str, selector: str) -> list[str]:
        """Of a label, within the series that a selector finds."""
        found: list[str] = self._ask(f"label/{label}/values", **{"match[]": selector})
        return found

    def traces(self, selector: str, start: float, end: float) -> set[str]:
        """The traces that the buckets of these series name as examples."""
        found = self._ask("query_exemplars", query=selector, start=start, end=end)
        return {one["labels"]["trace_id"] for series in found for one in series["exemplars"]}

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def number(self, expr: str) -> float:
        """Of a query with one series; 0 where it has none yet."""
        found = self.at(expr)
        assert len(found) < 2, found
        return found[0].values[0] if found else 0.0

    def wait_for_scrapes(self, count: int) -> None:
        """Until so many have succeeded; each may take as long as anything that is waited for."""
        for number in range(1, count + 1):
            until(partial(self._has_scraped, number), f"scrape {number} has succeeded")

    def _has_scraped(self, count: int) -> bool:
        return self.number('sum_over_time(up{job="gateway"}[1h])') >= count

    def _ask(self, path: str, **parameters: object) -> Any:
        return fetched(f"{self.address}/api/v1/{path}?{urlencode(parameters)}")["data"]


@contextmanager
def prometheus(
    directory: Path, target: str, *, alertmanager: str = "127.0.0.1:1", every: str = "1s", faster: int = 1
) -> Iterator[Prometheus]:
    """Scrapes and evaluates `every` so often. All times in the rules are divided by `faster`."""
    config = yaml.safe_load((GRAFANA / "prometheus" / "prometheus.yml").read_text())
    (scrape,), (alerting,) = config["scrape_configs"], config["alerting"]["alertmanagers"]
    scrape["static_configs"] = [{"targets": [target]}]
    alerting["static_configs"] = [{"targets": [alertmanager]}]
    config["global"] = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    _copy_rules(directory / "rules", faster)
    address = f"127.0.0.1:{free_port()}"
    command = [
        tool("prometheus", "Debian: prometheus"),
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    with _running(command, directory / "prometheus.log", f"http://{address}/-/ready"):
        yield Prometheus(f"http://{address}")


def _copy_rules(folder: Path, faster: int) -> None:
    def shorter(found: re.Match[str]) -> str:
        milliseconds = int(found["number"]) * _UNITS[found["unit"]] // faster
        return f"{found['before']}{milliseconds}ms"

    folder.mkdir()
    for file in (GRAFANA / "prometheus" / "rules").glob("*.yml"):
        (folder / file.name).write_text(_DURATION.sub(shorter, file.read_text()))


@contextmanager
def alertmanager(directory: Path, webhook: str) -> Iterator[str]:
    """Its HOST:PORT. It tells `webhook` of everything at once."""
    config = {
        "route": {
            "receiver": "test",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "test", "webhook_configs": [{"url": webhook, "send_resolved": True}]}],
    }
    file = directory / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config))
    amtool = tool("amtool", PACKAGE)
    subprocess.run([amtool, "check-config", file], check=True, capture_output=True)
    address = f"127.0.0.1:{free_port()}"
    command = [
        tool("prometheus-alertmanager", PACKAGE),
        f"--config.file={file}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with _running(command, directory / "alertmanager.log", f"http://{address}/-/ready"):
        yield address


@contextmanager
def _running(command: Sequence[str], log: Path, ready: str) -> Iterator[None]:
    """A server, until the end of the block. It has to be alive then, too."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent)
    try:
        until(lambda: _answers(process, log, ready), f"{command[0]} is ready")
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(process: subprocess.Popen[bytes], log: Path, address: str) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urlopen(address, timeout=PATIENCE) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def promtool(*arguments: str | Path, page: str = "") -> str:
    """What Prometheus' tool says of files, or of a page of metrics; it fails when it is not content."""
    command = [tool("promtool", "Debian: prometheus"), *arguments]
    ended = subprocess.run(command, input=page, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def fetched(address: str) -> Any:
    """JSON from an address; an error status fails with what was said."""
    try:
        with urlopen(address, timeout=PATIENCE) as reply:
            return json.load(reply)
    except URLError as error:
        said = error.read().decode() if hasattr(error, "read") else error
        raise AssertionError(f"{address}: {said}") from error


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
