"""What can be told of a configuration without starting anything, beyond what its text says."""

import random
import time
from collections.abc import Mapping

from gateway.errors import Problem, SettingsError
from gateway.keyring import unavailable
from gateway.settings.loading import Configuration
from gateway.storage import unusable
from gateway.token_places import TokenPlaces
from gateway.tracing import untraceable
from gateway.ways import Trust


def examine(configuration: Configuration, environ: Mapping[str, str]) -> None:
    """Certificates, Redis, tracing, and where tokens come from. Raises SettingsError with every problem."""
    _refuse(configuration, (*_certificates(configuration), *_sources(configuration, environ)))


def examine_sources(configuration: Configuration, environ: Mapping[str, str]) -> None:
    """As `examine`, but for the certificates: they take long to read, and a start reads them anyway."""
    _refuse(configuration, _sources(configuration, environ))


def _refuse(configuration: Configuration, problems: tuple[Problem, ...]) -> None:
    if problems:
        raise SettingsError(tuple(configuration.placed(problem) for problem in problems))


def _sources(configuration: Configuration, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    places = TokenPlaces(environ, time.monotonic, random.random, lambda secret, owner: None)
    settings = configuration.settings
    return (*unavailable(settings, places), *unusable(settings), *untraceable(settings, environ))


def _certificates(configuration: Configuration) -> tuple[Problem, ...]:
    try:
        Trust.load(configuration.settings.upstream.tls)
    except SettingsError as error:
        return error.problems
    return ()
