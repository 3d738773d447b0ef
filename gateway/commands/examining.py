"""What can be told of a configuration without starting anything, beyond what its text says: `check` says it,
and `serve` says it before it binds its address."""

import random
import time
from collections.abc import Mapping

from gateway.errors import Problem, SettingsError
from gateway.keyring import unavailable
from gateway.settings.loading import Configuration
from gateway.token_places import TokenPlaces
from gateway.ways import Trust


def examine(configuration: Configuration, environ: Mapping[str, str]) -> None:
    """Looks at certificates and at where tokens come from, not at the tokens. Raises SettingsError with every
    problem."""
    places = TokenPlaces(environ, time.monotonic, random.random, lambda secret, owner: None)
    problems = (*_certificates(configuration), *unavailable(configuration.settings, places))
    if problems:
        raise SettingsError(tuple(configuration.placed(problem) for problem in problems))


def _certificates(configuration: Configuration) -> tuple[Problem, ...]:
    try:
        Trust.load(configuration.settings.upstream.tls)
    except SettingsError as error:
        return error.problems
    return ()
