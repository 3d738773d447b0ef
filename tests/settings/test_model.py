"""The model as a whole: its defaults, its being frozen, its rules within one section."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from gateway.catalogue.model import Effect, Repeats, Replay
from gateway.settings.methods import MethodRule
from gateway.settings.model import Account, Settings
from gateway.settings.token_source import TokenSource

# Written by hand from the promise that is made to operators.
DEFAULTS = """
listen: {host: 127.0.0.1, port: 8080, uds: null}
allowed_hosts: [localhost, 127.0.0.1, "::1"]
upstream:
  base_url: https://example.com/api/v1.1
  transport: builtin
  format: json
  compression: identity
  request_id_header: Request-ID
  download_path: /api/download
  max_connections: 100
  keepalive: 15s
  rate: null
  timeouts: {connect: 3s, first_byte: 30s, total: 1m}
  retries: {attempts: 3, backoff: 100ms, max_backoff: 2s, budget: 0.1}
  breaker: {failure_ratio: 0.5, min_calls: 20, window: 10s, open_for: 5s}
  tls: {verify: true, ca_file: null, client_cert: null, client_key: null}
token: {env: PLATFORM_TOKEN, file: null, vault: null}
tokens: {}
token_placement: body
limits: {body_bytes: 10MiB, xml_bytes: 10MiB, bodies_bytes: 256MiB, reply_bytes: 64MiB,
         depth: 64, elements: 2000000,
         header_bytes: 32KiB, headers: 100, connections: 2000, max_in_flight: 200, max_queued: 1000,
         queue_timeout: 5s, head_timeout: 10s, body_timeout: 30s}
cache: {enabled: true, store: memory, max_bytes: 64MiB, default_ttl: 0s, stale_while_revalidate: 0s,
        stale_if_error: 5m, settle: 1m}
dedup: {enabled: true, store: memory, window: 5m, key_window: 23h, unknown_window: 23h, max_bytes: 64MiB,
        journal: null, on_store_failure: proceed}
redis: {url: null, timeout: 200ms, prefix: "gateway:"}
replies: {default_format: json}
methods: {}
method_policy: {unknown: forward, deny: []}
accounts: {}
drain: {delay: 0s, timeout: 30s}
log: {level: info, format: json, calls: all, sample: 1.0, slow: 10s}
tracing: {enabled: false}
callers: {header: Gateway-Caller, known: []}
"""


def parsed(data: Mapping[str, Any]) -> Settings:
    return Settings.model_validate_json(json.dumps(data), strict=True)


def messages(data: Mapping[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        parsed(data)
    return [
        f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
        for detail in caught.value.errors(include_input=False)
    ]


def test_the_defaults_are_those_that_are_promised() -> None:
    assert Settings().model_dump(mode="json") == yaml.safe_load(DEFAULTS)


def test_settings_survive_being_written_and_read() -> None:
    settings = parsed(
        {
            "upstream": {"keepalive": "1500ms"},
            "tokens": {"r": {"vault": {"path": "p", "key": "k"}}},
            "methods": {"profiles/get": {"negative_ttl": "1s", "parameters": {"a": ["integer"]}}},
        }
    )
    assert parsed(settings.model_dump(mode="json")) == settings


def test_settings_are_frozen_all_the_way_down() -> None:
    settings = parsed({"tokens": {"r": {"env": "R"}}, "methods": {"a": {"negative_ttl": "1s"}}})
    with pytest.raises(ValidationError):
        settings.token_placement = "header"  # type: ignore[assignment]  # that it fails is the point
    with pytest.raises(TypeError):
        settings.tokens["x"] = settings.token  # type: ignore[index]  # likewise
    with pytest.raises(TypeError):
        settings.methods["a"].negative_ttl[500] = 1.0  # type: ignore[index]  # likewise


def test_an_error_of_pydantic_shows_no_input() -> None:
    with pytest.raises(ValidationError) as caught:
        parsed({"log": {"level": "s3cr3t"}, "tokn": "s3cr3t", "token": "s3cr3t"})
    assert "s3cr3t" not in str(caught.value)


def test_the_address_of_redis_is_not_in_the_repr() -> None:
    assert "s3cr3t" not in repr(parsed({"redis": {"url": "redis://:s3cr3t@h"}}))


def account(**changes: Any) -> dict[str, Any]:
    return {"base_url": "https://h/x", "token": {"env": "A"}, **changes}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"listen": {"uds": "/s", "port": 1}}, "listen: needs either uds, or host and port"),
        ({"listen": {"port": 65536}}, "listen.port: Input should be less than or equal to 65535"),
        ({"listen": {"port": "8080"}}, "listen.port: Input should be a valid integer"),
        ({"listen": {"port": True}}, "listen.port: Input should be a valid integer"),
        ({"token": {}}, "token: needs exactly one of env: | file: | vault:"),
        ({"token": {"env": "A", "file": "/f"}}, "token: needs exactly one of env: | file: | vault:"),
        ({"token": {"vault": {"path": "p"}}}, "token.vault.key: Field required"),
        (
            {"token": {"vault": {"path": "p", "key": "k", "auth": {}}}},
            "token.vault.auth: needs exactly one of token: | approle:",
        ),
        (
            {"token": {"vault": {"path": "p", "key": "k", "auth": {"token": "s3cr3t"}}}},
            "token.vault.auth.token: a token is never written here; use env: or file:",
        ),
        ({"tokens": {"none": {"env": "A"}}}, "is a reserved name"),
        ({"accounts": {"default": account()}}, "is a reserved name"),
        ({"accounts": {"eu": account(limits={})}}, "accounts.eu.limits: Extra inputs are not permitted"),
        ({"limits": {"depth": 201}}, "limits.depth: Input should be less than or equal to 200"),
        ({"limits": {"max_in_flight": 0}}, "limits.max_in_flight: Input should be greater than or equal"),
        ({"limits": {"body_bytes": "0B"}}, "limits.body_bytes: should be more than 0B"),
        ({"upstream": {"retries": {"budget": 1.1}}}, "upstream.retries.budget: Input should be less than"),
        ({"upstream": {"breaker": {"failure_ratio": 0}}}, "failure_ratio: Input should be greater than 0"),
        ({"upstream": {"timeouts": {"total": "0s"}}}, "upstream.timeouts.total: should be more than 0s"),
        ({"dedup": {"key_window": "24h"}}, "dedup.key_window: should be under 24h"),
        ({"methods": {"a": {"window": "1440m"}}}, "methods.a.window: should be under 24h"),
        ({"methods": {"a": {"effect": "write"}}}, "effect: Input should be 'read', 'modify' or 'task'"),
        ({"methods": {"a": {"negative_ttl": {"4x": "1s"}}}}, "should be a platform code, such as 404"),
        ({"methods": {"a": {"negative_ttl": 5}}}, "methods.a.negative_ttl: Input should be an object"),
        ({"methods": {"a": {"parameters": "integer"}}}, "methods.a.parameters: should be a map"),
        ({"methods": {"a": {"parameters": {"b": "int"}}}}, "parameters: a type should be one of any"),
        ({"methods": {"a": {"parameters": {"b": ["any", "any"]}}}}, "parameters: a type should be one of"),
        ({"callers": {"known": ["other"]}}, "callers.known.0: is a reserved name"),
    ],
)
def test_what_a_section_refuses(data: dict[str, Any], message: str) -> None:
    [found] = messages(data)
    assert message in found


def test_a_rule_changes_what_it_sets_in_the_catalogues_terms() -> None:
    rule = MethodRule.model_validate(
        {
            "effect": "read",
            "ttl": "5s",
            "stale_if_error": None,
            "negative_ttl": {"404": "1s", "450": "0s"},
            "replay": "always",
            "repeats": "content",
            "tags": ["db:{db_id}", "profiles"],
            "invalidates": [],
            "token": "none",
            "allowed": False,
            "parameters": {"db_id": "integer", "data": {"tags": ["string"], "items": ["wrapped", "$item"]}},
        }
    )
    assert rule.changes() == {
        "effect": Effect.READ,
        "ttl": 5.0,
        "negative_ttl": {404: 1.0, 450: 0.0},
        "replay": Replay.ALWAYS,
        "repeats": Repeats.CONTENT,
        "tags": ("db:{db_id}", "profiles"),
        "invalidates": (),
        "token": "none",
        "allowed": False,
        "parameters": {"db_id": "integer", "data": {"tags": ["string"], "items": ["wrapped", "$item"]}},
    }


def test_a_rule_that_sets_nothing_changes_nothing() -> None:
    assert MethodRule().changes() == {}


def test_the_top_level_is_the_account_default_before_all_others() -> None:
    settings = parsed(
        {
            "token": {"env": "TOP"},
            "token_placement": "header",
            "tokens": {"r": {"env": "R"}},
            "accounts": {"eu": {"base_url": "https://eu/x", "token": {"env": "EU"}}},
        }
    )
    top = Account(
        base_url="https://example.com/api/v1.1",
        token=TokenSource.model_validate({"env": "TOP"}),
        token_placement=settings.token_placement,
        tokens={"r": TokenSource.model_validate({"env": "R"})},
    )
    assert list(settings.all_accounts().items()) == [("default", top), ("eu", settings.accounts["eu"])]


def test_settings_need_nothing_of_the_network() -> None:
    """The command line loads settings before anything else: what it does not need should not cost it time."""
    names = "{'httpx', 'starlette', 'uvicorn', 'asyncio'}"
    code = f"import sys, gateway.settings.loading; print({names} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
