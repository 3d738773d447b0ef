"""Plain settings data of two ranks made one: sections and maps key by key, all else as a whole."""

from typing import Any

from gateway.settings.structure import KeyPath, descend, section_of


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`; neither is changed."""
    result = dict(below)
    for key, value in above.items():
        inner = below.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result


def yielding(below: dict[str, Any], above: dict[str, Any], hint: Any) -> dict[str, Any]:
    """`below` without the alternatives to what `above` chooses: a token source, a place to listen.

    `hint` is the type that both are data of.
    """
    section = section_of(hint)
    rivals = section.rivals({key for key, value in above.items() if value is not None}) if section else ()
    result = {key: value for key, value in below.items() if key not in rivals}
    for key, value in above.items():
        inner = result.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            result[key] = yielding(inner, value, descend(hint, key))
    return result


def is_blocked(data: Any, path: KeyPath, hint: Any) -> bool:
    """Whether `data` has something else where a section on the way to `path` should be.

    An override must not cover that up: it is wrong, and may be a token that was written into the file.
    """
    for key in path:
        if not isinstance(data, dict) or key not in data:
            break
        data, hint = data[key], descend(hint, key)
    return section_of(hint) is not None and not isinstance(data, dict)


def nested(path: KeyPath, value: Any) -> dict[str, Any]:
    """`value` at `path` as plain data: {"upstream": {"timeouts": {"total": value}}}."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def without(data: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    """A copy of `data` without the entry at `path`; where its last key is missing, without the one above."""
    key, *rest = path
    inner = data.get(str(key))
    if rest and isinstance(inner, dict) and (len(rest) > 1 or rest[0] in inner):
        return {**data, str(key): without(inner, tuple(rest))}
    return {name: value for name, value in data.items() if name != key}
