"""gateway.headers: which request headers are read."""

from gateway import headers


def test_only_headers_that_matter_are_kept() -> None:
    found = headers.pick(
        [
            (b"host", b"localhost"),
            (b"authorization", b"Bearer x"),
            (b"cookie", b"a=b"),
            (b"x-forwarded-for", b"1.2.3.4"),
            (b"accept", b"*/*"),
        ]
    )
    assert found == {b"host": b"localhost", b"accept": b"*/*"}


def test_lines_of_one_name_are_joined_by_a_comma() -> None:
    found = headers.pick([(b"request-id", b"a"), (b"accept", b"text/xml"), (b"request-id", b"b")])
    assert found[headers.REQUEST_ID] == b"a, b"


def test_the_caller_header_has_the_configured_name() -> None:
    assert headers.pick([(b"x-app", b"billing")], b"x-app") == {headers.CALLER: b"billing"}
    assert headers.pick([(b"gateway-caller", b"billing")], b"x-app") == {}
