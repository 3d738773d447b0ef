"""What a body means to somebody else: parsers that are not the gateway's, and what they read, comparable.

JSON by the standard library, held to RFC 8259; XML by libxml2. Objects are lists of their members in order of
name, so that one with a name twice is not the same as one with it once.
"""

import json
import re
from typing import Any, NoReturn

from lxml import etree

Meaning = Any
"""Something that is equal exactly when two bodies mean the same."""


def json_meaning(body: bytes) -> Meaning:
    """ValueError for what is no JSON, or no UTF-8."""
    return json.loads(
        body.decode(),
        object_pairs_hook=_members,
        parse_float=_number,
        parse_int=_integer,
        parse_constant=_refuse,
    )


def call_meaning(body: bytes) -> Meaning:
    """What a JSON call means to the platform: of parameters that come twice the last counts, and whatever a
    platform could take for a token is not part of it."""
    found = json_meaning(body)
    if not isinstance(found, tuple) or found[0] != "object":
        raise ValueError("not an object")
    last = dict(found[2])
    kept = {name: value for name, value in last.items() if not is_token(name)}
    return sorted(kept.items(), key=lambda member: member[0])


def tokens(body: bytes) -> list[Meaning]:
    """The values of all parameters that a platform could take for a token, as often as they come."""
    return [value for name, value in json_meaning(body)[2] if is_token(name)]


def is_token(name: str) -> bool:
    """Whether a platform could take a parameter for the token: some fold case, some end a name at a NUL."""
    return name.partition("\0")[0].casefold() == "token"


def is_xml(body: bytes) -> bool:
    """Whether libxml2 takes it for a document, perhaps without its instructions: they mean nothing to the
    platform, and libxml2 forbids colons in their names."""
    return _is_xml(body) or _is_xml(re.sub(rb"<\?.*?\?>", b"", body, flags=re.DOTALL))


def _is_xml(body: bytes) -> bool:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True


def xml_texts(body: bytes) -> list[str]:
    """The text of each element below the root that has no elements in it, in order."""
    parser = etree.XMLParser(
        resolve_entities=False, remove_comments=True, remove_pis=True, huge_tree=True, recover=True
    )
    root = etree.fromstring(body, parser)
    return ["".join(map(str, element.itertext())) for element in root.iterdescendants() if not len(element)]


def _members(pairs: list[tuple[str, Meaning]]) -> Meaning:
    return (
        "object",
        sorted(name for name, _ in pairs),
        pairs if len(dict(pairs)) < len(pairs) else _sorted(pairs),
    )


def _sorted(pairs: list[tuple[str, Meaning]]) -> list[tuple[str, Meaning]]:
    return sorted(pairs, key=lambda pair: pair[0])


def _number(text: str) -> Meaning:
    return "number", text


def _integer(text: str) -> Meaning:
    # -0 is 0 to whoever reads integers.
    return "integer", "0" if text == "-0" else text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
