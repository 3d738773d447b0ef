"""Hypothesis on every codec: what `properties` says holds for any bytes."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import properties
from tests.fuzz.spellings import JSON_BODIES, broken, respelt, xml_body

JSON = JSON_BODIES | broken(JSON_BODIES) | st.binary(max_size=40)
XML = xml_body() | broken(xml_body()) | st.binary(max_size=40)
QUERIES = st.lists(
    st.sampled_from(
        [
            b"token",
            b"TOKEN",
            b"%74oken",
            b"+token+",
            b"=",
            b"&",
            b";",
            b"a",
            b"1",
            b"format=json",
            b"%",
            b"%00",
        ]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=500)
@given(JSON)
def test_a_call_in_json_goes_out_as_it_was_meant(data: bytes) -> None:
    properties.json_call(data)


@settings(max_examples=500)
@given(respelt())
def test_two_calls_of_one_identity_mean_the_same(pair: tuple[bytes, bytes]) -> None:
    properties.json_pair(*pair)


@settings(max_examples=500)
@given(XML)
def test_a_call_in_xml_is_what_another_parser_reads(data: bytes) -> None:
    properties.xml_call(data)
    properties.xml_typed(data)


@settings(max_examples=500)
@given(XML)
def test_xml_that_is_read_without_a_parser_is_read_as_by_one(data: bytes) -> None:
    properties.xml_plain(data)


@settings(max_examples=300)
@given(JSON | XML)
def test_a_reply_of_any_bytes_is_read_without_harm(data: bytes) -> None:
    properties.reply_body(data)
    properties.reply_xml(data)


@given(QUERIES | st.binary(max_size=30))
def test_no_token_is_left_in_the_url(data: bytes) -> None:
    properties.query(data)


@given(st.binary(max_size=60))
def test_header_values_of_any_bytes_are_read_without_harm(data: bytes) -> None:
    properties.head(data)


@pytest.mark.parametrize("target", properties.TARGETS.values(), ids=properties.TARGETS.keys())
def test_every_target_takes_nothing_and_everything(target: Callable[[bytes], str]) -> None:
    tried = Counter(
        target(data) for data in (b"", bytes(range(256)), b"{}", b"<xml/>", b"{}\n{}", b"token=1")
    )
    assert tried.total() == 6
