import json

import pytest

from gateway.sandbox.codes import ApiError
from gateway.sandbox.jsonform import decode, encode, shown
from gateway.sandbox.values import Fields


def test_a_long_number_keeps_its_digits() -> None:
    body = b'{"id":123456789012345678901234567890}'
    assert encode(decode(body)) == body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b'"token"', id="a string"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": 1e400}', id="a number that would be infinite"),
        pytest.param(b'{"a": "\xe9"}', id="not UTF-8"),
        pytest.param(b'{"a":' * 100_000, id="deep"),
    ],
)
def test_refusing(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        decode(body)
    assert caught.value.code == 400


def test_a_lone_surrogate_does_not_stop_the_reply() -> None:
    assert encode(decode(b'{"a":"\\ud800"}')) == b'{"a":"?"}'


def test_what_is_shown_is_json_with_a_line_for_each_value() -> None:
    value: Fields = {"a": [1, 2.5, None, True, {}, [], {"é": ["x", '"']}], "b": {}, "": ""}
    assert shown(value) == json.dumps(value, ensure_ascii=False, indent=1)
    assert json.loads(shown(decode(b'{"a": [1.50]}'))) == {"a": [1.5]}
