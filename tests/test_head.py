"""gateway.head: what could be read in two ways is refused."""

import pytest

from gateway import errors, head
from gateway.headers import Headers


def read(target: bytes = b"/a?b=c?d", version: str = "1.1", **fields: bytes) -> head.Head:
    headers: Headers = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return head.read(b"POST", target, version, headers, keep_alive=True)


def test_a_target_is_a_path_and_a_query_as_they_came() -> None:
    found = read(b"/a%2F..//b?c=d?e%20")
    assert (found.path, found.query) == (b"/a%2F..//b", b"c=d?e%20")


@pytest.mark.parametrize(
    "target", [b"http://localhost/a", b"*", b"localhost:80", b"", b"?a", b"/a#b", b"/a?b#c"]
)
def test_a_target_that_is_no_path_is_refused(target: bytes) -> None:
    with pytest.raises(errors.CallError) as refused:
        read(target)
    assert refused.value.kind is errors.BAD_REQUEST


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity", b"chunked, chunked", b"xchunked", b""])
def test_another_transfer_coding_than_chunked_is_refused(coding: bytes) -> None:
    with pytest.raises(errors.CallError):
        read(transfer_encoding=coding)
    assert read(transfer_encoding=b"Chunked").keep_alive


def test_an_old_callers_connection_ends_and_has_no_chunks() -> None:
    assert not read(version="1.0").keep_alive
    with pytest.raises(errors.CallError):
        read(version="1.0", transfer_encoding=b"chunked")


@pytest.mark.parametrize("version", ["0.9", "2.0"])
def test_another_version_is_refused(version: str) -> None:
    with pytest.raises(errors.CallError):
        read(version=version)


def test_who_asks_before_it_sends_is_recognised() -> None:
    assert read(expect=b"100-Continue").asks_first
    assert not read(expect=b"something-else").asks_first


def test_a_head_without_its_offer_to_upgrade_is_the_same_head() -> None:
    fields = [(b"host", b"a"), (b"upgrade", b"h2c"), (b"content-length", b"2")]
    again = head.written(b"POST", b"/x?y", "1.1", fields)
    assert again == b"POST /x?y HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n"


def test_the_common_fields_follow_the_servers_list() -> None:
    common = head.CommonFields()
    first, second = [(b"date", b"1"), (b"a", b"b")], [(b"date", b"2")]
    assert common.lines(first) == common.lines(first) == b"date: 1\r\na: b\r\n"
    assert common.lines(second) == b"date: 2\r\n"
