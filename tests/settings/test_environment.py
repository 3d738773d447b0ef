"""Variables: which there are, how their text is read, which are refused."""

from typing import Any

import pytest

from gateway.settings.environment import Overrides, variable
from gateway.settings.model import Settings


def overrides(**environ: str) -> dict[str, Any]:
    found = Overrides(Settings, environ)
    assert found.problems == []
    return {".".join(map(str, path)): value for path, _, value in found.values}


def problems(**environ: str) -> list[str]:
    return [str(problem) for problem in Overrides(Settings, environ).problems]


def test_the_name_of_a_variable() -> None:
    assert variable(("upstream", "timeouts", "total")) == "GATEWAY_UPSTREAM__TIMEOUTS__TOTAL"
    assert variable(("token_placement",)) == "GATEWAY_TOKEN_PLACEMENT"


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        pytest.param("GATEWAY_LISTEN__PORT", "9090", "listen.port", 9090, id="integer"),
        pytest.param("GATEWAY_UPSTREAM__RETRIES__BUDGET", "0.2", "upstream.retries.budget", 0.2, id="number"),
        pytest.param("GATEWAY_CACHE__ENABLED", "false", "cache.enabled", False, id="boolean"),
        pytest.param("GATEWAY_UPSTREAM__KEEPALIVE", "5s", "upstream.keepalive", "5s", id="duration"),
        pytest.param("GATEWAY_LOG__LEVEL", "debug", "log.level", "debug", id="choice"),
        pytest.param("GATEWAY_REDIS__PREFIX", "5", "redis.prefix", "5", id="text like a number"),
        pytest.param(
            "GATEWAY_REDIS__PREFIX", "null", "redis.prefix", "null", id="null where none is allowed"
        ),
        pytest.param("GATEWAY_DEDUP__JOURNAL", "null", "dedup.journal", None, id="null"),
        pytest.param("GATEWAY_DEDUP__JOURNAL", "/x", "dedup.journal", "/x", id="path"),
        pytest.param("GATEWAY_ALLOWED_HOSTS", '["a"]', "allowed_hosts", ["a"], id="list"),
        pytest.param("GATEWAY_TOKENS", '{"r": {"env": "R"}}', "tokens", {"r": {"env": "R"}}, id="map"),
        pytest.param("GATEWAY_DRAIN", '{"delay": "1s"}', "drain", {"delay": "1s"}, id="section"),
        pytest.param("GATEWAY_TOKEN__VAULT__PATH", "p", "token.vault.path", "p", id="deep"),
        pytest.param(
            "GATEWAY_LISTEN__PORT", "many", "listen.port", "many", id="left for the model to refuse"
        ),
    ],
)
def test_how_the_text_is_read(name: str, text: str, key: str, value: object) -> None:
    assert overrides(**{name: text}) == {key: value}


@pytest.mark.parametrize(
    "name",
    [
        "GATEWAY_SERVICE_HOST",
        "GATEWAY_PORT",
        "GATEWAY_CONFIG",
        "GATEWAY_PORT_8080_TCP_ADDR",
        "PATH",
        "gateway_log__level",
    ],
)
def test_names_without_two_underscores_or_the_prefix_are_left_alone(name: str) -> None:
    assert overrides(**{name: "x"}) == {}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "GATEWAY_LOG__LEVL",
            "environment:GATEWAY_LOG__LEVL log.levl: stands for no setting; did you mean GATEWAY_LOG__LEVEL?",
        ),
        ("GATEWAY_LOG__level", "environment:GATEWAY_LOG__level log.level: stands for no setting"),
        ("GATEWAY__", "environment:GATEWAY__ _: stands for no setting"),
        ("GATEWAY_QQQQQQ__WWWWWW", "environment:GATEWAY_QQQQQQ__WWWWWW qqqqqq.wwwwww: stands for no setting"),
        ("GATEWAY_TOKENS__READER", "environment:GATEWAY_TOKENS__READER tokens.reader: stands for no setting"),
    ],
)
def test_an_unknown_name_with_two_underscores_is_refused(name: str, line: str) -> None:
    [problem] = problems(**{name: "s3cr3t"})
    assert problem.startswith(line)
    assert "s3cr3t" not in problem


def test_a_key_twice_in_json_is_refused() -> None:
    assert problems(GATEWAY_TOKENS='{"r": {}, "r": {}}') == [
        "environment:GATEWAY_TOKENS tokens: has a key that is written twice"
    ]


def test_text_that_is_not_utf8_is_refused() -> None:
    assert problems(GATEWAY_REDIS__PREFIX="\udcff") == [
        "environment:GATEWAY_REDIS__PREFIX redis.prefix: is not UTF-8"
    ]


def test_nesting_beyond_what_the_parser_takes_is_left_for_the_model_to_refuse() -> None:
    text = "[" * 200_000
    assert overrides(GATEWAY_ALLOWED_HOSTS=text) == {"allowed_hosts": text}
