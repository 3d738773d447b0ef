"""Whatever an encoder makes of a token, it is masked, and nothing else is.

The encoders here are the standard library's, lxml's, or written out after those of other languages; the
redactor is never asked how it thinks a token might look.
"""

import base64
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from html import escape as html_escape
from itertools import product
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.tokens.redaction import KEPT, LARGEST_KEPT, REMEMBERED, WORTH_KEEPING, Redactor, Sink
from gateway.tokens.secret import Secret

HEX = "bfc505684d774e52b188fa1f003cd5ed"
CANARY = "k7\"b<c>&d/é+%20 \\x'~=:{}😀-_z9"

Encoder = Callable[[str], str]


def lxml_text(text: str) -> str:
    element = etree.Element("x")
    element.text = text
    return etree.tostring(element).decode()[len("<x>") : -len("</x>")]


def go_json(text: str) -> str:
    """encoding/json escapes the signs of HTML."""
    encoded = json.dumps(text, ensure_ascii=False)[1:-1]
    return encoded.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def upper_hex(encode: Encoder, digits: str) -> Encoder:
    return lambda text: re.sub(digits, lambda found: found[0][:2] + found[0][2:].upper(), encode(text))


def lower_hex(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quote(text, safe=""))


ENCODERS: dict[str, Encoder] = {
    "plain": str,
    "json ascii": lambda text: json.dumps(text)[1:-1],
    "json utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json php": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "json go": go_json,
    "json upper hex": upper_hex(lambda text: json.dumps(text)[1:-1], r"\\u[0-9a-f]{4}"),
    "xml text": escape,
    "xml attribute": lambda text: quoteattr(text + "\"'")[1 : -len("&quot;'") - 1],
    "xml lxml ascii": lxml_text,
    "html": html_escape,
    "html php": lambda text: html_escape(text).replace("&#x27;", "&#039;"),
    "xml java": lambda text: escape(text, {'"': "&#34;", "'": "&#39;"}),
    "url": quote,
    "url all": lambda text: quote(text, safe=""),
    "url form": quote_plus,
    "url lower hex": lower_hex,
    "python repr": lambda text: repr(text)[1:-1],
    "python ascii": lambda text: ascii(text)[1:-1],
    "python bytes": lambda text: repr(text.encode())[2:-1],
}


@cache  # each is a second's hundredth to make, and there are hundreds of cases
def redactor_of(*values: str) -> Redactor:
    redactor = Redactor(lambda sink, count: None)
    for number, value in enumerate(values):
        redactor.add(Secret(value), f"default/{number}")
    return redactor


@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize("value", [HEX, CANARY], ids=["hex", "canary"])
def test_a_token_is_masked_as_an_encoder_writes_it(value: str, encode: Encoder) -> None:
    assert redactor_of(value).mask(f"before {encode(value)} after", "log") == "before *** after"


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        pytest.param(ENCODERS[outer], ENCODERS[inner], id=f"{inner} in {outer}")
        for outer, inner in product(ENCODERS, repeat=2)
    ],
)
def test_a_token_is_masked_when_it_was_encoded_twice(outer: Encoder, inner: Encoder) -> None:
    text = f"before {outer(inner(CANARY))} after"

    assert redactor_of(CANARY).mask(text, "log") == "before *** after"


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        pytest.param(ENCODERS[outer], ENCODERS[inner], id=f"{inner} in {outer}")
        for outer, inner in product(ENCODERS, repeat=2)
    ],
)
def test_a_json_log_line_may_hold_what_was_encoded_twice(outer: Encoder, inner: Encoder) -> None:
    line = json.dumps({"message": outer(inner(CANARY))}, ensure_ascii=False)

    assert redactor_of(CANARY).mask(line, "log") == '{"message": "***"}'


@pytest.mark.parametrize("value", [HEX, CANARY], ids=["hex", "canary"])
@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["std", "url-safe"])
def test_a_token_inside_base64_is_masked_wherever_it_starts(
    value: str, before: int, after: int, encode: Callable[[bytes], bytes]
) -> None:
    whole = encode(b"\xfb" * before + value.encode() + b"\xfb" * after).decode()

    masked = redactor_of(value).mask(whole, "log")

    kept, mask, rest = masked.partition("***")
    assert mask
    # What stays is the neighbours, and at most a character at each edge that shares bits with one of them.
    assert len(kept) <= before * 8 // 6 + 1
    assert (
        len(rest)
        <= -(-(before + len(value.encode()) + after) // 3) * 4 - (before + len(value.encode())) * 8 // 6
    )


def test_basic_credentials_are_masked() -> None:
    header = "Basic " + base64.b64encode(f"user:{HEX}".encode()).decode()

    assert HEX not in base64.b64decode(
        redactor_of(HEX).mask(header, "log").split()[1].replace("***", "")
    ).decode("latin-1")
    assert redactor_of(HEX).mask(header, "log").startswith("Basic dXNlcj")


def test_base64_quoted_in_a_url_is_masked() -> None:
    value = "\xfb\xff\xfe" * 4  # its base64 is full of + and /
    encoded = quote(base64.b64encode(value.encode()).decode(), safe="")

    assert "%2" in encoded
    assert "***" in redactor_of(value).mask(encoded, "log")


@given(
    value=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=8, max_size=40),
    around=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    encoders=st.tuples(st.sampled_from(sorted(ENCODERS)), st.sampled_from(sorted(ENCODERS))),
)
def test_no_token_survives_in_any_pair_of_encodings(
    value: str, around: tuple[str, str], encoders: tuple[str, str]
) -> None:
    outer, inner = (ENCODERS[name] for name in encoders)
    before, after = around

    masked = redactor_of(value).mask(f"{before}{outer(inner(value))}{after}", "log")

    assert "***" in masked
    assert len(masked) <= len(before) + len("***") + len(after) or value in before + after


BACKSLASHES = "\\" * 40


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\\" * 100_001, id="a run of them"),
        pytest.param("%5C" * 100_001, id="a run of them in a URL"),
        pytest.param(r"\\u005c" * 50_000, id="a run of them escaped twice"),
        pytest.param(("\\" * 39 + "|") * 2_000, id="runs that are just too short"),
    ],
)
def test_a_token_that_is_hard_to_tell_from_its_escapes_is_looked_for_to_the_end(text: str) -> None:
    assert len(redactor_of(BACKSLASHES).mask(text, "log")) <= len(text)


@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
def test_a_token_of_backslashes_is_masked_and_its_neighbours_stay(encode: Encoder) -> None:
    assert redactor_of(BACKSLASHES).mask(f"before {encode(BACKSLASHES)} after", "log") == "before *** after"


@settings(max_examples=50)
@given(
    unit=st.text(alphabet="\\\"'/%&+ 25u0c;#ampx", min_size=1, max_size=6),
    escapes=st.lists(st.sampled_from(sorted(ENCODERS)), min_size=1, max_size=3),
    rest=st.text(alphabet='\\"%25&;', max_size=3),
)
def test_no_text_takes_more_than_its_length(unit: str, escapes: list[str], rest: str) -> None:
    """A search that tries every reading of an ambiguous text would not end here."""
    text = unit * 30
    for name in escapes:
        text = ENCODERS[name](text)

    assert redactor_of(unit * 20 + "z").mask(f"{text * 10}{rest}z", "log")


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_text_without_a_token_stays_as_it_is(text: str) -> None:
    assert redactor_of(HEX, CANARY).mask(text, "log") is text


def test_bytes_without_a_token_are_given_back_without_a_copy() -> None:
    data = b'{"error": 0}'

    assert redactor_of(HEX).mask_bytes(data, "reply") is data


def test_bytes_that_are_no_text_are_masked_too() -> None:
    data = b"\xff\x00" + HEX.encode() + b"\xfe"

    assert redactor_of(HEX).mask_bytes(data, "reply") == b"\xff\x00***\xfe"


def test_a_part_of_a_token_is_not_a_token() -> None:
    assert redactor_of(HEX).mask(f"{HEX[:-1]} {HEX[1:]}", "log") == f"{HEX[:-1]} {HEX[1:]}"


def test_the_case_of_letters_counts() -> None:
    assert redactor_of(HEX).mask(HEX.upper(), "log") == HEX.upper()


def test_of_two_tokens_that_begin_alike_the_longer_one_goes_whole() -> None:
    redactor = redactor_of("token-aaaa", "token-aaaabbbb")

    assert redactor.mask("token-aaaabbbb token-aaaa", "log") == "*** ***"


def test_without_tokens_nothing_is_masked() -> None:
    assert redactor_of().mask(HEX, "log") == HEX


@pytest.mark.parametrize("size", [1_000, 3_000_000], ids=["a usual text", "a text that is read in steps"])
@pytest.mark.parametrize("values", [(HEX,), (HEX, BACKSLASHES), (HEX, "=" * 20)], ids=["one", "two", "signs"])
def test_a_token_is_found_wherever_it_stands(size: int, values: tuple[str, ...]) -> None:
    """Also beside one that consists of signs only, for which no quick look is possible."""
    for value in values:
        for before in (0, size // 3, size):
            text = "QXJKWYV1." * (before // 9), "zZ9." * ((size - before) // 4)
            assert redactor_of(*values).mask(value.join(text), "log") == "***".join(text)


def test_a_replaced_value_stays_known() -> None:
    redactor = Redactor(lambda sink, count: None)
    redactor.add(Secret("old-value-1"), "default/default")
    redactor.add(Secret("new-value-2"), "default/default")

    assert redactor.mask("old-value-1 new-value-2", "log") == "*** ***"


def test_what_is_known_of_one_owner_is_bounded_and_touches_no_other() -> None:
    redactor = Redactor(lambda sink, count: None)
    redactor.add(Secret("steady-value"), "default/steady")
    for number in range(REMEMBERED + 1):
        redactor.add(Secret(f"rotating-value-{number:02}"), "default/rotating")

    assert redactor.mask("steady-value", "log") == "***"
    assert redactor.mask("rotating-value-00", "log") == "rotating-value-00"
    assert redactor.mask("rotating-value-01", "log") == "***"
    assert redactor.mask(f"rotating-value-{REMEMBERED:02}", "log") == "***"


def test_a_value_that_comes_back_counts_as_new() -> None:
    redactor = Redactor(lambda sink, count: None)
    for number in (*range(REMEMBERED), 0, REMEMBERED):
        redactor.add(Secret(f"rotating-value-{number:02}"), "default/rotating")

    assert redactor.mask("rotating-value-00", "log") == "***"
    assert redactor.mask("rotating-value-01", "log") == "rotating-value-01"


def test_what_was_masked_is_counted_by_sink() -> None:
    counted: list[tuple[Sink, int]] = []
    redactor = Redactor(lambda sink, count: counted.append((sink, count)))
    redactor.add(Secret(HEX), "default/default")
    redactor.add(Secret(CANARY), "default/reader")

    redactor.mask(f"{HEX} {CANARY} {HEX}", "log")
    redactor.mask_bytes(HEX.encode(), "reply")
    redactor.mask("nothing", "error")

    assert counted == [("log", 3), ("reply", 1)]


SIZES = [10, WORTH_KEEPING, LARGEST_KEPT, LARGEST_KEPT + 1]


@pytest.mark.parametrize("size", SIZES)
def test_a_kept_reply_that_was_clean_is_looked_through_again_once_there_is_another_token(size: int) -> None:
    redactor = Redactor(lambda sink, count: None)
    redactor.add(Secret(CANARY), "default/default")
    reply = b" " * size + HEX.encode() + b" " * size

    assert redactor.mask_kept(reply) is reply
    assert redactor.mask_kept(reply) is reply
    redactor.add(Secret(HEX), "default/default")
    assert redactor.mask_kept(reply) == b" " * size + b"***" + b" " * size


@pytest.mark.parametrize("size", SIZES)
def test_a_token_in_a_kept_reply_is_masked_and_counted_each_time(size: int) -> None:
    counted: list[tuple[Sink, int]] = []
    redactor = Redactor(lambda sink, count: counted.append((sink, count)))
    redactor.add(Secret(HEX), "default/default")
    reply = b" " * size + HEX.encode()

    for _ in range(2):
        assert redactor.mask_kept(reply) == b" " * size + b"***"
    assert counted == [("reply", 1)] * 2


@pytest.mark.parametrize("size", SIZES)
def test_that_one_reply_is_clean_says_nothing_of_others(size: int) -> None:
    redactor = Redactor(lambda sink, count: None)
    redactor.add(Secret(HEX), "default/default")
    for number in range(20):  # new bytes come to be where the last ones were
        clean = b"%d" % number + b" " * size
        assert redactor.mask_kept(clean) is clean
        del clean
        assert b"***" in redactor.mask_kept(b"%d" % number + b" " * (size - len(HEX)) + HEX.encode())


def test_of_clean_replies_only_so_many_are_kept() -> None:
    redactor = Redactor(lambda sink, count: None)
    redactor.add(Secret(HEX), "default/default")
    replies = [b"%d" % number + b" " * 100_000 for number in range(3 * KEPT // 2 // 100_000)]
    free = sys.getrefcount(replies[0])
    for reply in replies:
        redactor.mask_kept(reply)

    # What getrefcount and the loop hold is the same for all but the last.
    kept = sum(sys.getrefcount(replies[number]) > free for number in range(len(replies) - 1))
    assert 0 < kept * 100_000 <= KEPT
