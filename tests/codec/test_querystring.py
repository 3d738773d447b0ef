from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import querystring
from gateway.codec.body import MalformedBodyError
from gateway.codec.negotiation import Format


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"a",
        b"a=1",
        b"b=2&a=1&a=1",
        b"a=%2f%2F+%20&b=;",
        b"&&a=&=b&",
        b"a=1;b=2",
        b"request_id=12345",
        b"rtoken=1&tokens=2&xtoken=3",
        b"a=token&token2=x",
        b"a=%zz%",
        b"format=csv",
        b"format=JSON&format=&format",
        b"Format=json",
    ],
)
def test_other_parameters_stay_byte_for_byte_and_in_order(query: bytes) -> None:
    assert querystring.take(query) == (None, query)


@pytest.mark.parametrize(
    "hidden",
    [
        b"token=x",
        b"token",
        b"token=",
        b"TOKEN=x",
        b"%74oken=x",
        b"%74%6f%6B%65%6E=x",
        b"to%E2%84%AAen=x",
        b"+token=x",
        b"token%20=x",
        b"token%00=x",
        b"token=x;token=y",
        b";token=x",
    ],
)
def test_a_token_is_taken_out_however_it_is_spelt(hidden: bytes) -> None:
    wanted, kept = querystring.take(b"a=1&" + hidden + b"&b=2")

    assert wanted is None
    assert kept.replace(b"&;", b"").replace(b"&&", b"&") == b"a=1&b=2"
    assert b"oken" not in kept
    assert b"x" not in kept


def test_behind_a_semicolon_only_the_token_goes() -> None:
    assert querystring.take(b"a=1;token=x;b=2&c=3") == (None, b"a=1;b=2&c=3")


@pytest.mark.parametrize(
    ("query", "wanted", "kept"),
    [
        (b"format=xml", Format.XML, b""),
        (b"format=json", Format.JSON, b""),
        (b"a=1&format=xml&b=2", Format.XML, b"a=1&b=2"),
        (b"%66ormat=%78ml", Format.XML, b""),
        (b"format=json&format=xml", Format.XML, b""),
        (b"a=1&format=xml;%74oken=x", Format.XML, b"a=1"),
        (b"format=csv&format=xml", Format.XML, b"format=csv"),
    ],
)
def test_the_reply_format_is_taken_out(query: bytes, wanted: Format, kept: bytes) -> None:
    assert querystring.take(query) == (wanted, kept)


@pytest.mark.parametrize("separator", [b"&", b";"])
def test_1000_parameters_pass_and_one_more_is_refused(separator: bytes) -> None:
    query = separator.join([b"a=1"] * 1000)

    assert querystring.take(query) == (None, query)
    with pytest.raises(MalformedBodyError, match=r"^the URL has more than 1000 parameters$"):
        querystring.take(query + separator + b"a=1")


@pytest.mark.parametrize("rest", [b"", b"=1", b"=1;b=2", b"&b=2"])
def test_a_name_of_300_bytes_passes_and_a_longer_one_is_refused(rest: bytes) -> None:
    query = b"a=" + b"1" * 1000 + b"&" + b"%" * 300 + rest

    assert querystring.take(query) == (None, query)
    with pytest.raises(MalformedBodyError, match=r"^a parameter of the URL has a name of more"):
        querystring.take(query.replace(b"%%", b"%%%", 1))


@pytest.mark.parametrize("token", ["abc", "a&b=c#d", "é +%", "/?;"])
def test_a_placed_token_is_read_back_by_another_parser(token: str) -> None:
    assert parse_qs(querystring.place(b"a=1", token).decode()) == {"a": ["1"], "token": [token]}
    assert parse_qs(querystring.place(b"", token).decode()) == {"token": [token]}


@given(
    st.lists(st.sampled_from([b"a=1", b"token=x", b"%54oken=x", b"format=xml", b"b=+;c", b"", b"x;TOKEN=x"]))
)
def test_taking_twice_is_taking_once(segments: list[bytes]) -> None:
    _, kept = querystring.take(b"&".join(segments))

    assert querystring.take(kept) == (None, kept)
    assert b"oken" not in kept.lower()
