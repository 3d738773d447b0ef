"""The garbage collector of a process that serves: it looks seldom, and never at what is there for good.

A call frees what it used by counting alone; cycles come from faults and from connections that end. So there
is little to find, and each look costs calls their time: at the defaults every few calls pay for one, and the
whole heap of modules, settings and catalogue is walked again and again.
"""

import gc

YOUNG = 50_000
"""New objects until the youngest are looked at: some thousand calls under way or kept meanwhile."""
MIDDLE, OLD = 20, 50
"""Looks at one generation until the next older one is looked at, too."""


def settle() -> None:
    """To be called once, when all that stays is there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
