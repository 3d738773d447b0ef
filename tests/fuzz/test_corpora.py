"""Bodies by class, sent to a whole gateway: how many were tried, and what came of them, is written out
(`pytest -s`). Whatever is passed on means to another parser what it meant when it came."""

import base64
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.catalogue.model import Catalogue
from tests.e2e.answering import Answering, answering
from tests.e2e.caller import JSON, XML, Caller
from tests.e2e.conftest import ENVIRON, TOKEN, catalogue, settings_for
from tests.e2e.inthread import running_gateway
from tests.fuzz import oracle
from tests.fuzz.xml_corpus import CLASSES, Class

__all__ = ["catalogue"]

JSON_TEST_SUITE = Path(__file__).parent / "corpus" / "json_test_suite.txt"
OPENING = 100_000
MEANT = {"y": "to be taken", "n": "to be refused", "i": "up to the parser", "t": "changed by some parsers"}


@pytest.fixture(scope="module")
def platform() -> Iterator[Answering]:
    with answering() as made:
        yield made


@pytest.fixture(scope="module")
def caller(platform: Answering, catalogue: Catalogue) -> Iterator[Caller]:
    with running_gateway(settings_for(platform.base_url), ENVIRON, catalogue) as gateway:
        yield gateway.caller


def sent(caller: Caller, platform: Answering, body: bytes, content_type: str) -> bytes | None:
    """What the platform got; None when the body was refused, and then as documented."""
    platform.got.clear()
    reply = caller.call("profiles/import", body, content_type=content_type)
    if platform.got:
        assert (reply.status, len(platform.got)) == (200, 1)
        return platform.got[0]
    assert (reply.status, reply.error) == (400, 400)
    assert reply.error_text.startswith("gateway: ")
    return None


def json_cases() -> Iterator[tuple[str, bytes]]:
    for line in JSON_TEST_SUITE.read_text().splitlines():
        name, _, content = line.partition(" ")
        yield name, base64.b64decode(content)
    yield "n_structure_100000_opening_arrays", b"[" * OPENING
    yield "n_structure_open_array_object", b'[{"":' * OPENING


def tell(title: str, outcomes: dict[str, Counter[str]]) -> None:
    lines = [f"{title}: {sum(counted.total() for counted in outcomes.values())} cases"]
    lines += [f"  {name:34} {dict(sorted(counted.items()))}" for name, counted in outcomes.items()]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize("wrapping", [b"%b", b'{"a":%b}', b'{"a":{"b":[0,%b]},"token":"theirs"}'])
def test_the_json_test_suite(caller: Caller, platform: Answering, wrapping: bytes) -> None:
    outcomes: dict[str, Counter[str]] = {meant: Counter() for meant in MEANT.values()}
    for name, content in json_cases():
        body = wrapping % content
        got = sent(caller, platform, body, JSON)
        if got is not None:
            assert oracle.tokens(got) == [TOKEN], name
            assert oracle.call_meaning(got) == oracle.call_meaning(body), name
            assert name[0] != "n", name
        elif name[0] == "y" and wrapping != b"%b":
            pytest.fail(f"{name} was refused")
        outcomes[MEANT[name[0]]]["refused" if got is None else "passed on"] += 1
    tell(f"JSONTestSuite as {wrapping.decode()}", outcomes)
    assert sum(counted.total() for counted in outcomes.values()) == 340


def test_the_xml_corpus(caller: Caller, platform: Answering) -> None:
    outcomes = {name: xml_outcomes(caller, platform, of) for name, of in CLASSES.items()}
    tell("XML", outcomes)
    assert sum(counted.total() for counted in outcomes.values()) >= 100


def xml_outcomes(caller: Caller, platform: Answering, of: Class) -> Counter[str]:
    counted: Counter[str] = Counter()
    for document in of.documents:
        body = document if isinstance(document, bytes) else document.encode("utf-8", "surrogatepass")
        got = sent(caller, platform, body, XML)
        if got is not None:
            assert oracle.is_xml(body)
            assert oracle.tokens(got) == [TOKEN]
            assert b"passwd" not in got
        assert of.passes is None or (got is not None) == of.passes, body[:200]
        counted["refused" if got is None else "passed on"] += 1
    assert caller.get("/livez").status == 200
    return counted
