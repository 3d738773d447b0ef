"""Files that should hold secrets and are none, or that more people may read than the gateway. Looks at their
kinds and modes only."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.settings.section import Section
from gateway.settings.structure import KeyPath
from gateway.settings.token_source import Reference


def exposed_files(section: Section) -> Iterator[tuple[KeyPath, str]]:
    """Each secret's file that is a folder, or that everybody on this machine may read: the key that names it,
    and what to say. A file that is not there, or not to be looked at, is none."""
    for path, file in _files(section, ()):
        try:
            mode = os.stat(file).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            yield path, "is a folder; it should be the file that holds the secret"
        elif mode & stat.S_IROTH:
            yield (
                path,
                f"may be read by everybody on this machine (mode {stat.S_IMODE(mode):04o}); 0400 is enough",
            )


def _files(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, Path]]:
    if isinstance(value, Reference) and value.file is not None:
        yield (*path, "file"), value.file
    if isinstance(value, Section):
        for key in type(value).model_fields:
            yield from _files(getattr(value, key), (*path, key))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _files(inner, (*path, key))
