"""`gateway demo`: a sandbox and a gateway in front of it, in one process, on loopback, with a throw-away
token."""

import secrets
import signal
from collections.abc import Callable, Mapping
from typing import BinaryIO

from gateway import server
from gateway.app import Gateway, World
from gateway.catalogue import loading as catalogue_loading
from gateway.commands.introduction import introduction, table
from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.serving import running
from gateway.sandbox.tokens import sample_tokens
from gateway.settings.model import Settings
from gateway.terminal import Paint, Terminal

TOKEN_VARIABLE = "DEMO_TOKEN"  # noqa: S105 - a variable's name


async def demo(
    port: int, log: BinaryIO, environ: Mapping[str, str], terminal: Terminal, echo: Callable[[str], None]
) -> signal.Signals | None:
    """Runs until interrupted; `log` gets the gateway's log lines, `echo` what a newcomer reads, on
    `terminal`."""
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
        world = World({**environ, TOKEN_VARIABLE: token}, log)
        gateway = Gateway(settings, catalogue_loading.load(), world)
        await gateway.start()

        def announce() -> None:
            address = server.address(listener)
            echo(introduction(settings, address, "the defaults, in front of a sandbox", terminal))
            echo(first_calls(address, base_url, terminal))

        return await server.serve(gateway, listener, announce)


def first_calls(address: str, platform: str, terminal: Terminal) -> str:
    """Two calls to copy, without a token, and where to look next."""
    looks = table(
        [
            ("metrics", f"{address}/metrics"),
            ("health", f"{address}/readyz?verbose"),
            ("platform got", f"{platform.removesuffix('/api/v1.1')}/-/calls"),
        ],
        terminal,
    )
    return f"""  {terminal.paint("A write in JSON, without a token:", Paint.BOLD)}

  curl {address}/api/v1.1/profiles/import -H 'Content-Type: application/json' \\
    -d '{{"db_id": 1, "matching": "email", "email": "jim@example.com", "data": {{"_fname": "Jim"}}}}'

  {terminal.paint("The same profile, read in XML:", Paint.BOLD)}

  curl '{address}/api/v1.1/profiles/get?format=xml' -H 'Content-Type: application/xml' \\
    -d '<xml><db_id>1</db_id><matching>email</matching><email>jim@example.com</email></xml>'

{looks}
  Stop with Ctrl-C.
"""
