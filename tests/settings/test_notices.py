"""What is said about settings that are right."""

from pathlib import Path

import pytest

from gateway.settings.notices import notices
from tests.settings.conftest import Configure


def lines(configure: Configure, text: str, **environ: str) -> list[str]:
    return [str(notice) for notice in notices(configure(text, **environ))]


def test_defaults_need_no_notice_even_when_they_are_written(configure: Configure) -> None:
    assert lines(configure, "cache: {enabled: true, default_ttl: 0s}\ntracing: {enabled: false}") == []


def test_what_is_set_and_does_no_harm_needs_no_notice(configure: Configure) -> None:
    text = """\
        upstream: {compression: gzip}
        tracing: {enabled: true}
        limits: {connections: 7, head_timeout: 1s}
        """
    assert lines(configure, text) == []


def test_an_unchecked_certificate_is_worth_a_warning(configure: Configure) -> None:
    [line] = lines(configure, "\nupstream: {tls: {verify: false}}")
    assert line.startswith("config.yaml:2 upstream.tls.verify: is off: whoever sits between")


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("listen: {host: 0.0.0.0}", True),
        ("listen: {host: '::'}", True),
        ("listen: {host: gateway.internal}", True),
        ("listen: {host: 127.0.0.53}", False),
        ("listen: {host: '::1'}", False),
        ("listen: {host: localhost}", False),
        ("listen: {uds: /run/g.sock}", False),
        ("listen: {host: 0.0.0.0}\nallowed_hosts: [gateway.internal]", False),
    ],
)
def test_listening_beyond_this_machine_with_names_of_this_machine_only(
    text: str, warned: bool, configure: Configure
) -> None:
    assert [line.split(":")[1] for line in lines(configure, text)] == (["1 listen.host"] if warned else [])


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o400, False), (0o600, False), (0o440, False), (0o444, True), (0o644, True)]
)
def test_a_secrets_file_that_everybody_may_read_is_worth_a_warning(
    configure: Configure, tmp_path: Path, mode: int, warned: bool
) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cr3t")
    file.chmod(mode)
    text = f"""\
        token: {{file: {file}}}
        tokens:
          reader: {{vault: {{path: p, key: k, auth: {{token: {{file: {file}}}}}}}}}
        accounts:
          eu: {{base_url: "https://eu.example.com/api/v1.1", token: {{file: {file}}}}}
        """
    said = f"may be read by everybody on this machine (mode {mode:04o}); 0400 is enough"
    places = ["1 token.file", "3 tokens.reader.vault.auth.token.file", "5 accounts.eu.token.file"]
    assert lines(configure, text) == ([f"config.yaml:{place}: {said}" for place in places] if warned else [])


def test_a_secrets_file_that_is_not_there_is_not_a_notice(configure: Configure, tmp_path: Path) -> None:
    assert lines(configure, f"token: {{file: {tmp_path}/none}}") == []


def test_a_redis_that_nothing_is_kept_in_is_said(configure: Configure) -> None:
    text = "cache: {store: memory}\nredis: {url: 'redis://:secret-word@127.0.0.1'}"
    [line] = lines(configure, text)
    assert line == (
        "config.yaml:2 redis.url: is not used: neither cache.store nor dedup.store says redis, "
        "and upstream.rate is not set"
    )
    assert not lines(configure, text.replace("memory", "redis"))
    assert not lines(configure, text + "\nupstream: {rate: 50/s}")


def test_a_cache_of_its_own_beside_shared_flights_is_said(configure: Configure) -> None:
    text = "redis: {url: 'redis://h'}\ndedup: {store: redis}\ncache: {store: memory}"
    [line] = lines(configure, text)
    assert line.startswith("config.yaml:3 cache.store: is memory while dedup.store is redis: a write through")
    assert not lines(configure, text.replace("memory", "redis"))
    assert not lines(configure, text.replace("store: memory", "enabled: false"))


def test_notices_come_in_the_order_of_the_file(configure: Configure) -> None:
    text = """\
        listen: {host: 0.0.0.0}
        upstream: {tls: {verify: false}}
        redis: {url: "redis://h"}
        """
    places = [line.split(" ")[0] for line in lines(configure, text)]
    assert places == ["config.yaml:1", "config.yaml:2", "config.yaml:3"]
