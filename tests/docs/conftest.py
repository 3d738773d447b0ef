"""The gateway that the documentation's examples talk to, in front of a sandbox."""

from collections.abc import Iterator

import pytest

from gateway.catalogue import loading
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.e2e.caller import Caller
from tests.e2e.inthread import running_gateway

TOKEN = "token-for-the-examples"


@pytest.fixture
def caller() -> Iterator[Caller]:
    with running_in_thread(Sandbox(sample_tokens(TOKEN))) as base_url:
        settings = {"listen": {"port": 0}, "upstream": {"base_url": base_url}, "token": {"env": "TOKEN"}}
        with running_gateway(settings, {"TOKEN": TOKEN}, loading.load()) as gateway:
            yield gateway.caller
