"""A pytest plugin: the fixture `platform_sandbox`, a fresh sandbox on a free loopback port for each test.

The test needs no event loop: the sandbox has a thread of its own, and is stopped when the test is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import BASE_PATH, running_in_thread
from gateway.sandbox.tokens import DEFAULT_TOKEN


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox and where it is. `base_url` ends in /api/v1.1; `origin` has the host alone, for downloads."""

    sandbox: Sandbox
    base_url: str
    token: str = DEFAULT_TOKEN

    @property
    def origin(self) -> str:
        return self.base_url.removesuffix(BASE_PATH)


@pytest.fixture
def platform_sandbox() -> Iterator[RunningSandbox]:
    """The stand-in platform with its sample data, for one test."""
    sandbox = Sandbox()
    with running_in_thread(sandbox) as base_url:
        yield RunningSandbox(sandbox, base_url)
