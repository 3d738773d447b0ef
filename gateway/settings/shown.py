"""The settings as they may be shown: spelt as in the file, and without what an address may hold beside the
address. Tokens are never in the settings.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.settings.model import Settings

_USERINFO = re.compile(r"(?<=://)[^/?#]*@")
_QUERY = re.compile(r"(://[^?]*\?).*")
MASK = "***"


def shown(settings: Settings) -> dict[str, Any]:
    """The content of a config.yaml that says the same."""
    masked = _masked(settings.model_dump(mode="json"))
    assert isinstance(masked, dict)
    return masked


def flat(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and their values as text, in the order of the file."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", _text(value)


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    if isinstance(value, str) and "://" in value:
        return _QUERY.sub(rf"\1{MASK}", _USERINFO.sub(f"{MASK}@", value))
    return value


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case Mapping():
            return "{}"
        case _:
            return str(value)
