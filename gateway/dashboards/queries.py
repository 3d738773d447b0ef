"""PromQL for panels, put together from metrics that exist.

Every selector is narrowed by the dashboard's `job` and `instance`. A matcher is written as in PromQL:
`code!="0"`. An unknown metric or label is refused with ValueError: a panel without data is found by nobody.
"""

import re

from gateway.dashboards.exported import exported

SELF = ('job=~"$job"', 'instance=~"$instance"')
METHOD = 'api_method=~"$method"'
ACCOUNT = 'account=~"$account"'
CALLER = 'caller=~"$caller"'

RATE = "$__rate_interval"
"""At least four scrapes, so that a rate has something to go by, and at least a pixel's width."""

RANGE = "$__range"
"""All of the time that the dashboard shows."""

_MATCHER = re.compile(r'(?P<label>[a-z_]+)(?:=~|!~|!=|=)"[^"]*"')


def series(name: str, *matchers: str) -> str:
    """The series of a metric, as they are at the moment."""
    labels = exported().get(name)
    if labels is None:
        raise ValueError(f"the gateway exports no {name}")
    for matcher in matchers:
        found = _MATCHER.fullmatch(matcher)
        if found is None or found["label"] not in labels:
            raise ValueError(f"{name} has no label for {matcher}")
    return f"{name}{{{', '.join((*SELF, *matchers))}}}"


def rate(name: str, *matchers: str) -> str:
    """How much a counter grows per second."""
    return f"rate({series(name, *matchers)}[{RATE}])"


def increase(name: str, *matchers: str, over: str = RANGE) -> str:
    """How much a counter grew."""
    return f"increase({series(name, *matchers)}[{over}])"


def total(inner: str, *by: str) -> str:
    """The sum over all labels but `by`."""
    return _over("sum", inner, by)


def most(inner: str, *by: str) -> str:
    """The largest over all labels but `by`: of several gateways the worst."""
    return _over("max", inner, by)


def least(inner: str, *by: str) -> str:
    return _over("min", inner, by)


def happening(inner: str) -> str:
    """Only what is more than 0: a list of all that could happen hides what does."""
    return f"{inner} > 0"


def share(part: str, whole: str) -> str:
    """0..1; nothing where there is no whole, since 0 of 0 calls is neither good nor bad."""
    return f"{part}\n/\n({whole} > 0)"


def quantile(level: float, histogram: str, *matchers: str, by: tuple[str, ...] = ()) -> str:
    """The time that `level` of all stayed under, as near as the histogram's bounds tell."""
    return f"histogram_quantile({level:g}, {total(rate(f'{histogram}_bucket', *matchers), *by, 'le')})"


def _over(operator: str, inner: str, by: tuple[str, ...]) -> str:
    return f"{operator} by ({', '.join(by)}) ({inner})" if by else f"{operator}({inner})"
