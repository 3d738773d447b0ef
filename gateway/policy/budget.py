"""How many extra attempts all calls of an account may make together.

Retries help while failures are few. When most calls fail they multiply the load on a platform that has too
much of it already, so beyond a small number they are a share of the calls. Refuses to know which call asks:
whether it may be repeated at all is decided in `retrying`.
"""

from gateway.policy.breaker import Window

WINDOW = 10.0
"""Seconds over which calls and retries are compared."""

ALWAYS = 10
"""Retries that a window has whatever the share says: a gateway with few calls could never retry one."""


class RetryBudget:
    """At most `share` (0..1) extra attempts in proportion to the calls of the last ten seconds, or ten."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._calls = Window(WINDOW)
        self._retries = Window(WINDOW)

    def note_call(self, now: float) -> None:
        """A call makes its first attempt."""
        self._calls.add(now)

    def may_retry(self, now: float) -> bool:
        """Whether there is a retry left. A yes has spent it, so that of a hundred calls which fail at once
        and then pause, not all are told yes: ask last, and only for a call that will then be repeated."""
        wanted, calls = self._retries.count(now) + 1, self._calls.count(now)
        if wanted > ALWAYS and (calls == 0 or wanted / calls > self._share):
            return False
        self._retries.add(now)
        return True
