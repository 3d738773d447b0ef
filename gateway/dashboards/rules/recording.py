"""What Prometheus computes beforehand: which share of the calls failed, over several windows.

A call has failed when its caller did nothing wrong and still got no answer: `blame.FAILED_CODES` of the
platform, and `blame.FAILED_ERRORS` of the gateway.
"""

from gateway.dashboards.blame import FAILED_CODES, FAILED_ERRORS, OF_THE_PLATFORM, codes, reasons
from gateway.dashboards.rules.rule import Group, Record

BUDGET = 0.001
"""The share of calls that may fail: 99.9 % are to go well."""

CALLS = "job:gateway_calls:rate5m"
FAILED = "job:gateway_calls_failed:rate5m"
_FAILED_ANSWERS = f"{OF_THE_PLATFORM}, {codes(FAILED_CODES)}"
LONG_WINDOWS = ("30m", "1h", "2h", "6h", "1d", "3d")


def failed_share(window: str) -> str:
    """The series with the share of failed calls over `window`."""
    return f"job:gateway_calls_failed:ratio_rate{window}"


def _over(window: str) -> Record:
    """From the recorded rates: three days of every series would be millions of samples at each evaluation."""
    expr = f"avg_over_time({FAILED}[{window}])\n/\n(avg_over_time({CALLS}[{window}]) > 0)"
    return Record(failed_share(window), expr)


RECORDING = Group(
    "gateway-recording",
    (
        Record(CALLS, "sum by (job) (rate(gateway_requests_total[5m]))"),
        Record(
            FAILED,
            f"sum by (job) (rate(gateway_requests_total{{{_FAILED_ANSWERS}}}[5m]))\n+\n"
            f"sum by (job) (rate(gateway_own_errors_total{{{reasons(FAILED_ERRORS)}}}[5m]))",
        ),
        Record(failed_share("5m"), f"{FAILED}\n/\n({CALLS} > 0)"),
        *(_over(window) for window in LONG_WINDOWS),
    ),
)
