"""gateway.commands.introduction: what a gateway says of itself when it starts."""

from typing import Any

import pytest

from gateway.commands.introduction import introduction, stores
from gateway.settings.model import Settings
from gateway.terminal import NOBODY, Terminal

ADDRESS = "http://127.0.0.1:8080"


def said(address: str = ADDRESS, terminal: Terminal = NOBODY, **sections: Any) -> str:
    return introduction(Settings.model_validate(sections), address, "config.yaml", terminal)


def test_it_says_where_calls_go_and_where_to_look() -> None:
    text = said()
    assert f"calls to      {ADDRESS}/api/v1.1/<method>\n" in text
    assert f"status page   {ADDRESS}/-/\n" in text
    assert "settings      config.yaml\n" in text


def test_a_socket_has_no_page_that_a_browser_could_open() -> None:
    text = said("unix:/run/gateway.sock", listen={"uds": "/run/gateway.sock"})
    assert "listens on    unix:/run/gateway.sock\n" in text
    assert "calls to      /api/v1.1/<method>\n" in text
    assert "status page" not in text


def test_each_account_is_there_with_the_source_of_its_token() -> None:
    vault = {"vault": {"path": "platform", "key": "token"}}
    eu = {"base_url": "https://eu.example.com/api", "token": {"file": "/run/eu"}}
    text = said(token=vault, accounts={"eu": eu})
    assert "account       default: https://example.com/api/v1.1, token from vault secret/platform\n" in text
    assert (
        "account       eu: https://eu.example.com/api, token from file /run/eu, under /accounts/eu\n" in text
    )


@pytest.mark.parametrize(
    ("sections", "cache", "repeats"),
    [
        pytest.param({}, "memory up to 64MiB", "memory up to 64MiB", id="defaults"),
        pytest.param({"cache": {"enabled": False}, "dedup": {"enabled": False}}, "off", "off", id="neither"),
        pytest.param(
            {"dedup": {"journal": "/var/lib/gateway.db"}},
            "memory up to 64MiB",
            "memory up to 64MiB, journal /var/lib/gateway.db",
            id="a journal",
        ),
        pytest.param(
            {
                "redis": {"url": "redis://:s3cr3t@host:6379/0"},
                "cache": {"store": "redis"},
                "dedup": {"store": "redis"},
            },
            "redis",
            "redis",
            id="shared",
        ),
    ],
)
def test_it_says_what_is_remembered_where(sections: dict[str, Any], cache: str, repeats: str) -> None:
    text = said(**sections)
    assert f"stores        cache {cache}\n" in text
    assert f"              repeats {repeats}\n" in text
    assert "s3cr3t" not in text


def test_what_cannot_be_used_is_not_named_as_if_it_were_in_use() -> None:
    journal = Settings.model_validate({"dedup": {"journal": "/gone/gateway.db"}})
    redis = Settings.model_validate({"redis": {"url": "redis://host"}, "cache": {"store": "redis"}})
    trouble = " (cannot be used now)"
    assert stores(journal, {"journal": False})[1].endswith(f", journal /gone/gateway.db{trouble}")
    assert stores(journal, {"journal": True})[1].endswith(", journal /gone/gateway.db")
    assert stores(redis, {"redis": False})[0] == f"cache redis{trouble}"


def test_only_a_terminal_with_colours_gets_them() -> None:
    assert "\x1b" not in said(terminal=Terminal(attended=True))
    assert "\x1b[2mlistens on   \x1b[0m" in said(terminal=Terminal(attended=True, colours=True))
