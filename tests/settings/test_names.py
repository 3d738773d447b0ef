"""Spellings of names, addresses and paths: what is taken, how it is kept, what is refused and why."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.catalogue.template import parse
from gateway.settings import names


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        pytest.param(names.BaseUrl, "https://example.com/api/v1.1", "https://example.com/api/v1.1", id="url"),
        pytest.param(names.BaseUrl, "http://H:8443/api/", "http://h:8443/api", id="url-slash-and-case"),
        pytest.param(names.BaseUrl, "https://H:443/x/", "https://h/x", id="url-port-of-https"),
        pytest.param(names.BaseUrl, "http://h:80/x", "http://h/x", id="url-port-of-http"),
        pytest.param(names.BaseUrl, "http://h:443/x", "http://h:443/x", id="url-port-of-another-scheme"),
        pytest.param(names.BaseUrl, "https://[::1]:443/x", "https://[::1]/x", id="url-ipv6-port"),
        pytest.param(
            names.BaseUrl, "https://[::1]:9000/a/B-c_d", "https://[::1]:9000/a/B-c_d", id="url-ipv6"
        ),
        pytest.param(names.HostName, "Gateway.Internal", "gateway.internal", id="host"),
        pytest.param(names.HostName, "::1", "::1", id="host-ipv6"),
        pytest.param(names.HostName, "my_service", "my_service", id="host-docker"),
        pytest.param(names.MethodName, "profiles/add_batch", "profiles/add_batch", id="method"),
        pytest.param(names.MethodPattern, "admin/*", "admin/*", id="pattern"),
        pytest.param(names.RedisUrl, "unix:///run/redis.sock", "unix:///run/redis.sock", id="redis-socket"),
        pytest.param(names.UrlPath, "/api/download", "/api/download", id="path"),
        pytest.param(names.CallerName, "shop-eu.2", "shop-eu.2", id="caller"),
        pytest.param(names.TokenName, "none", "none", id="no-token"),
    ],
)
def test_what_is_taken(kind: Any, text: str, kept: str) -> None:
    assert TypeAdapter(kind).validate_python(text) == kept


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        pytest.param(names.BaseUrl, "example.com/api", "should be an http or https address", id="url-scheme"),
        pytest.param(names.BaseUrl, "ftp://h/api", "should be an http or https address", id="url-ftp"),
        pytest.param(names.BaseUrl, "https://h", "with a path", id="url-no-path"),
        pytest.param(names.BaseUrl, "https://h/", "with a path", id="url-only-slash"),
        pytest.param(names.BaseUrl, "https://h/api?x=1", "address with a path", id="url-query"),
        pytest.param(names.BaseUrl, "https://h/api#x", "address with a path", id="url-fragment"),
        pytest.param(names.BaseUrl, "https://u:p@h/api", "should not hold a user name", id="url-user"),
        pytest.param(names.BaseUrl, "https://h:99999/api", "port from 1 to 65535", id="url-port"),
        pytest.param(names.BaseUrl, "https://h:0/api", "port from 1 to 65535", id="url-port-0"),
        pytest.param(names.BaseUrl, "https://:80/api", "should have a host", id="url-no-host"),
        pytest.param(names.BaseUrl, "https://[::1/api", "should have a host", id="url-bracket"),
        pytest.param(names.BaseUrl, "https://h//api", "address with a path", id="url-doubled-slash"),
        pytest.param(names.BaseUrl, "https://h/a/../b", "segments", id="url-dots"),
        pytest.param(names.BaseUrl, "https://h/a%2fb", "address with a path", id="url-escape"),
        pytest.param(
            names.BaseUrl, "https://h/metrics", "/metrics, which the gateway answers", id="url-own-path"
        ),
        pytest.param(
            names.BaseUrl, "https://h/accounts/x", "/accounts, which the gateway", id="url-accounts"
        ),
        pytest.param(names.HostName, "localhost:8080", "without a port", id="host-port"),
        pytest.param(names.HostName, "[::1]", "without a port", id="host-brackets"),
        pytest.param(names.HostName, "", "should be a host name", id="host-empty"),
        pytest.param(names.MethodName, "/profiles/get", "without slashes around it", id="method-slash"),
        pytest.param(names.MethodName, "profiles/../get", "without slashes around it", id="method-dots"),
        pytest.param(names.Name, "default", "is a reserved name", id="name-default"),
        pytest.param(names.Name, "none", "is a reserved name", id="name-none"),
        pytest.param(names.Name, "a b", "letters, digits", id="name-space"),
        pytest.param(names.CallerName, "other", "is a reserved name", id="caller-other"),
        pytest.param(names.CallerName, "a" * 65, "a short name", id="caller-long"),
        pytest.param(names.HeaderName, "X Id", "a header's name", id="header-space"),
        pytest.param(names.HeaderName, "X-Id\r\nHost", "a header's name", id="header-injection"),
        pytest.param(names.Variable, "s3cr3t-canary", "the name of a variable", id="variable-with-a-token"),
        pytest.param(names.UrlPath, "/api/download/", "without a slash at its end", id="path-slash"),
        pytest.param(names.UrlPath, "/./x", "segments", id="path-dot"),
        pytest.param(names.FilePath, "", "the path of a file", id="file-empty"),
        pytest.param(names.RedisUrl, "localhost:6379", "a redis, rediss or unix address", id="redis"),
    ],
)
def test_what_is_refused_and_why(kind: Any, text: str, why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(text)
    [detail] = caught.value.errors(include_input=False)
    assert why in detail["msg"]
    assert "s3cr3t" not in detail["msg"]


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "db",
        "db:*",
        "db:7",
        "db:{db_id}",
        "segment:a.b",
        "",
        "db:",
        "db:{}",
        "db:{a}{b}",
        "a b",
        "db:{a.b}",
    ],
)
def test_tags_are_those_that_the_catalogue_knows(text: str) -> None:
    """The settings refuse a tag themselves, since their refusal does not quote it; so both have to agree."""
    try:
        parse(text)
    except ValueError:
        with pytest.raises(ValidationError):
            TypeAdapter(names.Tag).validate_python(text)
    else:
        assert TypeAdapter(names.Tag).validate_python(text) == text
