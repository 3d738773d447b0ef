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


def test_a_folder_in_the_place_of_a_secrets_file_is_said(configure: Configure, tmp_path: Path) -> None:
    assert lines(configure, f"token: {{file: {tmp_path}}}") == [
        "config.yaml:1 token.file: is a folder; it should be the file that holds the secret"
    ]


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


def test_a_tag_by_a_parameter_that_the_method_does_not_have_is_said(configure: Configure) -> None:
    text = """\
        methods:
          segments/get: {tags: ["segment:{id}", "segment:7", segments]}
          profiles/get:
            tags: ["db:{db_id}", "db:{dbid}"]
          profiles/import: {invalidates: ["db:{zzz}"]}
          own/method: {effect: modify, invalidates: ["db:{nobody_knows}"]}
          own/typed: {effect: read, parameters: {id: integer}, tags: ["own:{id}", "own:{idd}"]}
        """
    said = "names a parameter that the method is not known to have"
    assert lines(configure, text) == [
        f"config.yaml:4 methods.profiles/get.tags.1: {said}; did you mean db_id?",
        f"config.yaml:5 methods.profiles/import.invalidates.0: {said}",
        f"config.yaml:7 methods.own/typed.tags.1: {said}; did you mean id?",
    ]


def test_a_denied_name_that_is_no_methods_is_said(configure: Configure) -> None:
    text = """\
        methods: {own/method: {effect: modify}}
        method_policy:
          deny:
            - Profiles/Delete
            - admin/*
            - own/method
            - profiles/delte
            - zzz/*
        """
    assert lines(configure, text) == [
        "config.yaml:7 method_policy.deny.3: is no method that is known; did you mean profiles/delete?",
        "config.yaml:8 method_policy.deny.4: stands for no method that is known",
    ]


def test_a_journal_in_a_folder_that_is_not_there_is_said(configure: Configure, tmp_path: Path) -> None:
    [line] = lines(configure, f"\ndedup: {{journal: {tmp_path}/none/journal.db}}")
    assert line == (
        "config.yaml:2 dedup.journal: lies in a folder that is not there: "
        "repeats are not known across a crash"
    )
    assert not lines(configure, f"dedup: {{journal: {tmp_path}/journal.db}}")
    assert not lines(configure, "dedup: {journal: journal.db}")


def test_a_bound_that_another_one_comes_before_is_said(configure: Configure) -> None:
    text = """\
        limits: {max_in_flight: 201, queue_timeout: 61s}
        upstream:
          timeouts: {connect: 61s, first_byte: 60s}
          retries: {backoff: 61s, max_backoff: 61s}
        """
    said = "is longer than upstream.timeouts.total, after which the call ends"
    assert lines(configure, text) == [
        f"config.yaml:1 limits.queue_timeout: {said}",
        "config.yaml:1 limits.max_in_flight: is never reached: upstream.max_connections is less",
        f"config.yaml:3 upstream.timeouts.connect: {said}",
        f"config.yaml:4 upstream.retries.backoff: {said}",
    ]


def test_bounds_that_are_as_they_are_by_default_are_nobodys_mistake(configure: Configure) -> None:
    text = """\
        limits: {max_in_flight: 200}
        upstream: {max_connections: 10, timeouts: {total: 2s}}
        """
    assert lines(configure, text) == []
