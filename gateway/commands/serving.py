"""`gateway serve`: the configuration is read, the socket bound, the gateway started, in this order."""

import logging
import signal
from collections.abc import Callable, Mapping
from typing import BinaryIO

from gateway import __version__, server
from gateway.app import Gateway, World
from gateway.catalogue import loading as catalogue_loading
from gateway.commands.examining import examine_sources
from gateway.commands.introduction import accounts, introduction, stores
from gateway.hardening import forbid_dumps
from gateway.occurrence import event
from gateway.reloading import ConfigFile
from gateway.settings import loading
from gateway.settings.notices import notices
from gateway.terminal import Terminal

log = logging.getLogger("gateway")


async def serve(
    config: str | None,
    environ: Mapping[str, str],
    stdout: BinaryIO,
    terminal: Terminal,
    echo: Callable[[str], None],
) -> signal.Signals | None:
    """Returns the signal that ended it. `echo` writes to `terminal`, if anybody is there. Raises
    SettingsError, TokenMissingError or OSError (address taken)."""
    forbid_dumps()
    file = ConfigFile.at(loading.find(config, environ), environ)
    configuration = file.read()
    examine_sources(configuration, environ)
    settings = configuration.settings
    listener = server.bind(settings.listen)
    gateway = Gateway(settings, catalogue_loading.load(), World(environ, stdout), file)

    def announce() -> None:
        address = server.address(listener)
        if terminal.attended:
            echo(introduction(settings, address, str(file.path), terminal, gateway.store_health()))
        if not (terminal.attended and Terminal.of(stdout, environ).attended):  # who looks knows it by then
            _log_start(gateway, address, file)

    try:
        await gateway.start()
    except BaseException:
        listener.close()
        if settings.listen.uds is not None:
            settings.listen.uds.unlink(missing_ok=True)
        await gateway.stop(0)
        raise
    for notice in notices(configuration):
        log.warning("%s", notice)
    return await server.serve(gateway, listener, announce)


def _log_start(gateway: Gateway, address: str, file: ConfigFile) -> None:
    log.info(
        "gateway %s listens on %s (configuration: %s)",
        __version__,
        address,
        file.path,
        extra=event(
            "started",
            address=address,
            accounts=accounts(gateway.settings),
            stores=stores(gateway.settings, gateway.store_health()),
            configuration=str(file.path),
        ),
    )
