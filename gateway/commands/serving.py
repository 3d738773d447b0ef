"""`gateway serve`: the configuration is read, the socket bound, the gateway started, in this order."""

import logging
import signal
from collections.abc import Mapping
from typing import BinaryIO

from gateway import __version__, server
from gateway.app import Gateway, World
from gateway.catalogue import loading as catalogue_loading
from gateway.reloading import ConfigFile
from gateway.settings import loading
from gateway.settings.notices import notices

log = logging.getLogger("gateway")


async def serve(config: str | None, environ: Mapping[str, str], stdout: BinaryIO) -> signal.Signals | None:
    """Returns the signal that ended it. Raises SettingsError, TokenMissingError or OSError (address
    taken)."""
    file = ConfigFile.at(loading.find(config, environ), environ)
    configuration = file.read()
    listener = server.bind(configuration.settings.listen)
    gateway = Gateway(configuration.settings, catalogue_loading.load(), World(environ, stdout), file)

    def announce() -> None:
        log.info(
            "gateway %s listens on %s (configuration: %s)", __version__, server.address(listener), file.path
        )

    try:
        await gateway.start()
    except BaseException:
        listener.close()
        if configuration.settings.listen.uds is not None:
            configuration.settings.listen.uds.unlink(missing_ok=True)
        await gateway.stop(0)
        raise
    for notice in notices(configuration):
        log.warning("%s", notice)
    return await server.serve(gateway, listener, announce)
