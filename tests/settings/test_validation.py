"""Every finding at once, and none that is only the echo of another."""

from typing import Any

import pytest

from gateway.catalogue.loading import load
from gateway.catalogue.model import Catalogue
from gateway.settings.model import Settings
from gateway.settings.structure import dotted
from gateway.settings.validation import validate


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def findings(data: dict[str, Any], catalogue: Catalogue) -> list[str]:
    return [f"{dotted(finding.path)}: {finding.text}" for finding in validate(data, catalogue)[1]]


def test_no_data_is_all_defaults(catalogue: Catalogue) -> None:
    assert validate({}, catalogue) == (Settings(), ())


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(
            {"log": {"level": 5}, "cache": {"store": "redis"}},
            [
                "log.level: should be 'debug', 'info', 'warning' or 'error'",
                "cache.store: needs redis.url, which is not set",
            ],
            id="a conflict beside a mistake elsewhere",
        ),
        pytest.param(
            {"redis": {"url": "nowhere"}, "cache": {"store": "redis"}},
            ["redis.url: should be a redis, rediss or unix address, such as redis://127.0.0.1:6379/0"],
            id="no conflict with what is wrong itself",
        ),
        pytest.param(
            {"upstream": {"base_url": "https://h/api"}},
            ["upstream.download_path: lies under /api, the path of calls: no download could be fetched"],
            id="downloads below the path of calls",
        ),
        pytest.param(
            {"token": {"env": "not a name"}},
            ["token.env: should be the name of a variable, such as PLATFORM_TOKEN"],
            id="the source is not said to be empty",
        ),
        pytest.param(
            {"tokens": {"reader": "literal"}, "methods": {"profiles/get": {"token": "reader"}}},
            ["tokens.reader: a token is never written here; use env:, file: or vault:"],
            id="the name is not said to be unknown",
        ),
        pytest.param(
            {"methods": {"own/method": {"effect": "write"}}},
            ["methods.own/method.effect: should be 'read', 'modify' or 'task'"],
            id="the effect is not said to be missing",
        ),
        pytest.param(
            {"methods": {"/x/": {}, "y": {"effect": "read", "invalidates": ["y"]}}},
            [
                "methods./x/: should be a method's name without slashes around it, such as profiles/get",
                "methods.y.invalidates: is for writes, and this method reads: use tags",
            ],
            id="keys of maps",
        ),
        pytest.param(
            {"upstream": {"retries": {"backoff": "3s"}, "tls": {"client_key": "/k"}}},
            [
                "upstream.tls.client_key: needs upstream.tls.client_cert, which is not set",
                "upstream.retries.max_backoff: should not be less than backoff",
            ],
            id="conflicts within a section",
        ),
        pytest.param(
            {"dedup": {"store": "redis"}, "listen": []},
            [
                'listen: should be a map, as in {"key": "value"}',
                "dedup.store: needs redis.url, which is not set",
            ],
            id="no section where one should be",
        ),
    ],
)
def test_findings(data: dict[str, Any], found: list[str], catalogue: Catalogue) -> None:
    assert findings(data, catalogue) == found


@pytest.mark.parametrize(
    ("methods", "token_names", "account_names", "complaint"),
    [
        ("none", (), (), None),
        ("reader", ("reader",), (), None),
        ("reader", ("reader",), ("reader",), None),
        ("reader", (), (), "names a token that tokens does not have"),
        ("reader", ("reader",), ("writer",), "names a token that accounts.eu.tokens does not have"),
    ],
)
def test_a_rules_token_has_to_be_there_in_every_account(
    methods: str,
    token_names: tuple[str, ...],
    account_names: tuple[str, ...],
    complaint: str | None,
    catalogue: Catalogue,
) -> None:
    data: dict[str, Any] = {
        "methods": {"profiles/get": {"token": methods}},
        "tokens": {name: {"env": "T"} for name in token_names},
    }
    if account_names:
        tokens = {name: {"env": "T"} for name in account_names}
        data["accounts"] = {"eu": {"base_url": "https://eu/x", "token": {"env": "T"}, "tokens": tokens}}
    expected = [] if complaint is None else [f"methods.profiles/get.token: {complaint}"]
    assert findings(data, catalogue) == expected
