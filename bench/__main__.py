"""`make bench`: one run, printed, and written into docs/performance.md when nobody was left out by hand."""

import argparse
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import load, machine, measure, nginx, report
from bench.cases import CASES, Case
from bench.lineup import PEERS
from bench.measure import Plan
from bench.peer import Peer
from bench.process import BenchError
from bench.progress import Progress
from bench.upstream import nginx_upstream, own_upstream
from gateway import terminal

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "img" / "performance.svg"


def main() -> None:
    options = _options()
    # Ended by a signal, the processes that were started are ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _raise_open_files()
    chosen = [peer for peer in PEERS if not options.only or peer.name in options.only]
    left_out = [(peer.name, why) for peer in chosen if (why := peer.missing())]
    for name, why in left_out:
        _say(f"left out: {name}: {why}")
    plan = _plan(
        [peer for peer in chosen if not peer.missing()],
        [case for case in CASES if not options.case or case.name in options.case],
        options.rounds,
        options.seconds,
    )
    busy = os.getloadavg()[0]
    progress = Progress(measure.steps(plan), sys.stderr, time.monotonic, terminal.width)
    try:
        figures = measure.run(plan, progress)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress.end()
    text = report.markdown(report.Report(machine.describe(), _setting(plan, busy), figures, left_out))
    print(text)
    if not options.only and not options.case:
        PAGE.write_text(report.replace_section(PAGE.read_text(), text))
        PICTURE.write_text(report.picture(figures))
        _say(f"written into {PAGE}")


def _options() -> argparse.Namespace:
    names = ", ".join(f"`{peer.name}`" for peer in PEERS)
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=5)
    parser.add_argument("--seconds", type=_positive, default=2, help="of load, per peer, case and round")
    parser.add_argument("--only", type=_peers, help=f"comma-separated; writes no page. {names}")
    parser.add_argument(
        "--case",
        action="append",
        choices=[case.name for case in CASES],
        help="this one alone, or with others that are named likewise; writes no page",
    )
    return parser.parse_args()


def _raise_open_files() -> None:
    """As far as we may: every caller and every idle connection takes one here, and one or two in a peer."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _peers(text: str) -> set[str]:
    names = set(text.split(","))
    if unknown := names - {peer.name for peer in PEERS}:
        raise argparse.ArgumentTypeError(f"nobody is called {', '.join(sorted(unknown))}")
    return names


def _plan(peers: Sequence[Peer], cases: Sequence[Case], rounds: int, seconds: int) -> Plan:
    upstream = own_upstream if nginx.missing() else nginx_upstream
    return Plan(_taking(peers, cases), cases, rounds, seconds, load.installed(), upstream)


def _taking(peers: Sequence[Peer], cases: Sequence[Case]) -> list[Peer]:
    return [peer for peer in peers if set(peer.cases) & set(cases)]


def _setting(plan: Plan, busy: float) -> str:
    upstream = "nginx" if plan.upstream is nginx_upstream else "an asyncio server of our own"
    load_by = "wrk" if plan.command is load.wrk else "a driver of our own"
    return (
        f"Measured on {datetime.now(UTC).date()}: 32 callers where no other number is said, "
        f"load by {load_by}, {upstream} as the platform, {plan.rounds} rounds of {plan.seconds} s, taking "
        f"turns. Medians of the rounds. Load average of the machine before: {busy:.1f}."
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
