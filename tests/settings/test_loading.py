"""From a file and an environment to settings, or to every problem with its place."""

from pathlib import Path

import pytest

from gateway.catalogue.loading import load as load_catalogue
from gateway.catalogue.overriding import override
from gateway.errors import SettingsError
from gateway.settings.loading import find, load
from gateway.settings.model import Settings
from tests.settings.conftest import Configure, Refuse

CANARY = "s3cr3t-canary"


@pytest.mark.parametrize(
    ("option", "environ", "file"),
    [
        ("a.yaml", {"GATEWAY_CONFIG": "b.yaml"}, "a.yaml"),
        (None, {"GATEWAY_CONFIG": "b.yaml"}, "b.yaml"),
        (None, {}, "config.yaml"),
        (None, {"GATEWAY_CONFIG": ""}, "config.yaml"),
    ],
)
def test_which_file_is_loaded(option: str | None, environ: dict[str, str], file: str) -> None:
    assert find(option, environ) == Path(file)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").touch()
    assert load(tmp_path / "empty.yaml", {}) == Settings()


def test_values_as_the_rest_of_the_gateway_reads_them(configure: Configure) -> None:
    settings = configure(
        """
        upstream: {timeouts: {total: 1500ms}, tls: {ca_file: /ca.pem}, request_id_header: null}
        limits: {body_bytes: 64KiB}
        log: {format: text}
        allowed_hosts: [A.example]
        tokens: {reader: {file: /run/reader}}
        accounts: {eu: {base_url: "https://eu.example/api/v2/", token: {env: EU}}}
        """
    ).settings
    assert settings.upstream.timeouts.total == 1.5
    assert settings.upstream.tls.ca_file == Path("/ca.pem")
    assert settings.upstream.request_id_header is None
    assert settings.limits.body_bytes == 65536
    assert settings.log.format == "text"
    assert settings.allowed_hosts == ("a.example",)
    assert settings.tokens["reader"].file == Path("/run/reader")
    assert settings.accounts["eu"].base_url == "https://eu.example/api/v2"
    assert settings.accounts["eu"].token_placement == "body"


def test_the_environment_beats_the_file_key_by_key(configure: Configure) -> None:
    settings = configure(
        """
        upstream: {timeouts: {connect: 1s, total: 10s}}
        methods: {profiles/get: {ttl: 1s, stale_if_error: 1s}}
        """,
        GATEWAY_UPSTREAM='{"timeouts": {"total": "20s", "first_byte": "5s"}}',
        GATEWAY_UPSTREAM__TIMEOUTS__TOTAL="30s",
        GATEWAY_METHODS='{"profiles/get": {"ttl": "2s"}}',
    ).settings
    timeouts = settings.upstream.timeouts
    assert (timeouts.connect, timeouts.first_byte, timeouts.total) == (1, 5, 30)
    assert settings.methods["profiles/get"].changes() == {"ttl": 2.0, "stale_if_error": 1.0}


def test_a_token_source_in_the_environment_replaces_the_files(configure: Configure) -> None:
    token = configure("token: {env: A}", GATEWAY_TOKEN__FILE="/run/token").settings.token
    assert (token.env, token.file) == (None, Path("/run/token"))


def test_a_socket_in_the_environment_replaces_host_and_port(configure: Configure) -> None:
    listen = configure(
        "listen: {host: 127.0.0.1, port: 8080}", GATEWAY_LISTEN__UDS="/run/g.sock"
    ).settings.listen
    assert listen.uds == Path("/run/g.sock")


def test_two_sources_of_the_same_rank_are_refused(refuse: Refuse) -> None:
    assert refuse("token: {env: A}", GATEWAY_TOKEN__ENV="B", GATEWAY_TOKEN__FILE="/f") == [
        "config.yaml:1 token: needs exactly one of env: | file: | vault:"
    ]


def test_every_problem_comes_at_once_with_its_place_in_the_order_of_the_file(refuse: Refuse) -> None:
    assert refuse(
        """\
        upstream:
          timeouts: {total: 60}
          retries:
            attempts: 0
            backoff: 5s
          tls: {client_cert: /cert.pem}
        limits:
          depth: 1
          depth: 2
        cache: {store: redis}
        methods:
          profiles/get: {token: reader}
          own/method: {ttl: 1s}
        accounts:
          eu: {base_url: https://eu.example/api}
        cahce: {}
        """,
        GATEWAY_LOG__LEVEL="loud",
        GATEWAY_LOG__LEVL="info",
        GATEWAY_CALLERS__KNOWN="a,b",
    ) == [
        "config.yaml:2 upstream.timeouts.total: should be a duration, such as 250ms or 5m",
        "config.yaml:3 upstream.retries.max_backoff: should not be less than backoff",
        "config.yaml:4 upstream.retries.attempts: should be greater than or equal to 1",
        "config.yaml:6 upstream.tls.client_cert: needs upstream.tls.client_key, which is not set",
        "config.yaml:9 limits.depth: is written twice, first in line 8",
        "config.yaml:10 cache.store: needs redis.url, which is not set",
        "config.yaml:12 methods.profiles/get.token: names a token that tokens does not have",
        "config.yaml:13 methods.own/method.effect: is needed, since the catalogue does not know the method",
        "config.yaml:15 accounts.eu.token: is required",
        "config.yaml:16 cahce: is not known; did you mean cache?",
        'environment:GATEWAY_CALLERS__KNOWN callers.known: should be a list, as in ["one", "two"]',
        "environment:GATEWAY_LOG__LEVEL log.level: should be 'debug', 'info', 'warning' or 'error'",
        "environment:GATEWAY_LOG__LEVL log.levl: stands for no setting; did you mean GATEWAY_LOG__LEVEL?",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(f"token: {CANARY}", "config.yaml:1 token: a token is never written here", id="text"),
        pytest.param(
            f"token: {{value: {CANARY}}}", "config.yaml:1 token: a token is never written here", id="value"
        ),
        pytest.param(f"token: {{{CANARY}}}", "config.yaml:1 token: a token is never written here", id="key"),
        pytest.param(f"token: [{CANARY}]", "config.yaml:1 token: a token is never written here", id="list"),
        pytest.param(
            f"token: {{env: {CANARY}}}", "config.yaml:1 token.env: should be the name of a", id="variable"
        ),
        pytest.param(
            f"tokens:\n  r: {CANARY}", "config.yaml:2 tokens.r: a token is never written here", id="named"
        ),
        pytest.param(
            f"tokn: {CANARY}", "config.yaml:1 tokn: is not known; did you mean token?", id="misspelt"
        ),
        pytest.param(
            f"listen: {{port: {CANARY}}}", "config.yaml:1 listen.port: should be a valid", id="elsewhere"
        ),
        pytest.param(f"log: {{level: {CANARY}}}", "config.yaml:1 log.level: should be 'debug'", id="choice"),
        pytest.param(
            f"upstream: {{base_url: 'https://u:{CANARY}@h/x'}}", "config.yaml:1 upstream.base_url", id="url"
        ),
        pytest.param(f"methods: {{a: {{tags: ['{CANARY}:']}}}}", "config.yaml:1 methods.a.tags.0", id="tag"),
        pytest.param(f"token: '{CANARY}", "config.yaml:1 syntax: is not valid YAML", id="open quote"),
        pytest.param(f"token: *{CANARY}", "config.yaml:1 syntax: is not valid YAML", id="alias"),
        pytest.param(
            f"token: !{CANARY} x", "config.yaml:1 token: a tag with `!` is not known", id="tag of YAML"
        ),
    ],
)
def test_a_token_in_the_file_is_refused_and_not_shown(
    tmp_path: Path, text: str, line: str, refuse: Refuse
) -> None:
    problems = refuse(text)
    assert problems[0].startswith(line)
    assert CANARY not in "".join(problems)


@pytest.mark.parametrize(
    "value", [CANARY, f'"{CANARY}"', f'{{"value": "{CANARY}"}}', f'{{"{CANARY}": null}}']
)
def test_a_token_in_a_variable_for_its_source_is_refused_and_not_shown(value: str, refuse: Refuse) -> None:
    assert refuse("", GATEWAY_TOKEN=value) == [
        "environment:GATEWAY_TOKEN token: a token is never written here; use env:, file: or vault:"
    ]


def test_a_literal_in_the_file_is_not_covered_up_by_the_environment(refuse: Refuse) -> None:
    assert refuse(f"token: {CANARY}", GATEWAY_TOKEN__ENV="TOKEN") == [
        "config.yaml:1 token: a token is never written here; use env:, file: or vault:"
    ]


def test_the_error_holds_no_value_either(configure: Configure) -> None:
    with pytest.raises(SettingsError) as caught:
        configure(f"log: {{level: {CANARY}}}\nlisten: {{port: {CANARY}}}")
    seen: BaseException | None = caught.value
    while seen is not None:
        assert CANARY not in str(seen) + repr(seen)
        seen = seen.__cause__ or seen.__context__


def test_the_catalogue_comes_with_the_rules_laid_over_it(configure: Configure) -> None:
    settings = configure(
        """
        methods:
          profiles/get: {ttl: 7s, negative_ttl: 2s}
          own/method: {effect: task, invalidates: ["db:{db_id}"], parameters: {db_id: integer}}
        """
    ).settings
    catalogue = override(load_catalogue(), settings.method_changes())
    changed, added = catalogue.methods["profiles/get"], catalogue.methods["own/method"]
    assert (changed.ttl, dict(changed.negative_ttl)) == (7.0, {404: 2.0})
    assert (added.effect, added.invalidates, added.parameters.field("db_id").kind) == (
        "task",
        ("db:{db_id}",),
        "integer",
    )


def test_a_place_is_that_of_the_nearest_key_that_was_written(configure: Configure) -> None:
    configuration = configure("\n\nupstream:\n  tls: {}\n", GATEWAY_DRAIN__DELAY="1s")
    assert configuration.problem(("upstream", "tls", "verify"), "x").place == "config.yaml:4"
    assert configuration.problem(("cache", "store"), "x").place == "config.yaml:1"
    assert configuration.problem(("drain", "timeout"), "x").place == "environment:GATEWAY_DRAIN__DELAY"


@pytest.mark.parametrize("depth", [100, 250, 900, 990, 5000])
def test_endless_nesting_is_a_problem_and_no_crash(depth: int, refuse: Refuse) -> None:
    [line] = refuse("", GATEWAY_ALLOWED_HOSTS="[" * depth + "]" * depth)
    assert line.startswith(("environment:GATEWAY_ALLOWED_HOSTS allowed_hosts", "config.yaml:1 file: "))


def test_text_that_no_json_can_carry_is_a_problem_and_no_crash(refuse: Refuse) -> None:
    [line] = refuse("", GATEWAY_ALLOWED_HOSTS='["\\ud800"]')
    assert "lone surrogate" in line


def test_a_key_that_looks_like_a_mark_of_the_validator_is_a_key(refuse: Refuse) -> None:
    assert refuse("'[key]': 1\naccounts: {'[key]': {}}") == [
        "config.yaml:1 [key]: is not known",
        "config.yaml:2 accounts.[key]: should be a name of letters, digits, '_' and '-', such as reader",
        "config.yaml:2 accounts.[key].base_url: is required",
        "config.yaml:2 accounts.[key].token: is required",
    ]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(number: str, refuse: Refuse) -> None:
    [line] = refuse("", GATEWAY_UPSTREAM__RETRIES__BUDGET=number)
    assert line.startswith("environment:GATEWAY_UPSTREAM__RETRIES__BUDGET upstream.retries.budget: should be")
