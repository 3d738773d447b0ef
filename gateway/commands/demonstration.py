"""`gateway demo`: a sandbox and a gateway in front of it, in one process, on loopback, with a throw-away
token."""

import secrets
import signal
from collections.abc import Callable
from typing import BinaryIO

from gateway import server
from gateway.app import Gateway, World
from gateway.catalogue import loading as catalogue_loading
from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.serving import running
from gateway.sandbox.tokens import sample_tokens
from gateway.settings.model import Settings

TOKEN_VARIABLE = "DEMO_TOKEN"  # noqa: S105 - a variable's name


async def demo(port: int, log: BinaryIO, echo: Callable[[str], None]) -> signal.Signals | None:
    """Runs until interrupted; `log` gets the gateway's log lines, `echo` what a newcomer reads."""
    token = secrets.token_hex(16)
    listen = {"host": "127.0.0.1", "port": port}
    probe = Settings.model_validate({"listen": listen}).listen
    listener = server.bind(probe)
    async with running(Sandbox(sample_tokens(token), Options())) as base_url:
        settings = Settings.model_validate(
            {
                "listen": listen,
                "upstream": {"base_url": base_url},
                "token": {"env": TOKEN_VARIABLE},
                "log": {"format": "text"},
            }
        )
        gateway = Gateway(settings, catalogue_loading.load(), World({TOKEN_VARIABLE: token}, log))
        await gateway.start()
        return await server.serve(
            gateway, listener, lambda: echo(introduction(server.address(listener), base_url))
        )


def introduction(address: str, platform: str) -> str:
    """Two calls to copy, without a token, and where to look next."""
    return f"""
The gateway listens on {address}; behind it is a sandbox at {platform}.
Calls need no token. A write in JSON:

  curl {address}/api/v1.1/profiles/import -H 'Content-Type: application/json' \\
    -d '{{"db_id": 1, "matching": "email", "email": "jim@example.com", "data": {{"_fname": "Jim"}}}}'

The same profile, read in XML:

  curl '{address}/api/v1.1/profiles/get?format=xml' -H 'Content-Type: application/xml' \\
    -d '<xml><db_id>1</db_id><matching>email</matching><email>jim@example.com</email></xml>'

Metrics:                 {address}/metrics
Health:                  {address}/readyz?verbose
What the platform got:   {platform.removesuffix("/api/v1.1")}/-/calls

Stop with Ctrl-C.
"""
