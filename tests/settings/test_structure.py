"""Which part of the model a path of keys leads to."""

from typing import Any

import pytest

from gateway.settings.methods import MethodRule
from gateway.settings.model import Account, Settings
from gateway.settings.structure import KeyPath, dotted, hints_of, is_nullable, is_text, section_at
from gateway.settings.token_source import Reference, TokenSource
from gateway.settings.upstream import Timeouts


@pytest.mark.parametrize(
    ("path", "section"),
    [
        ((), Settings),
        (("upstream", "timeouts"), Timeouts),
        (("tokens", "any"), TokenSource),
        (("accounts", "any"), Account),
        (("accounts", "any", "tokens", "other"), TokenSource),
        (("methods", "a/b"), MethodRule),
        (("token", "vault", "auth", "approle", "role_id"), Reference),
        (("upstream", "base_url"), None),
        (("allowed_hosts", 0), None),
        (("nothing", "here"), None),
    ],
)
def test_the_section_at_a_path(path: KeyPath, section: Any) -> None:
    assert section_at(Settings, path) is section


@pytest.mark.parametrize(
    ("path", "text", "nullable"),
    [
        (("upstream", "base_url"), True, False),
        (("upstream", "request_id_header"), True, True),
        (("upstream", "tls", "ca_file"), True, True),
        (("log", "level"), True, False),
        (("limits", "headers"), False, False),
        (("methods", "a", "coalesce"), False, True),
        (("methods", "a", "ttl"), True, True),
    ],
)
def test_how_values_are_written(path: tuple[str, ...], text: bool, nullable: bool) -> None:
    parent = section_at(Settings, path[:-1])
    assert parent is not None
    hint = hints_of(parent)[path[-1]]
    assert (is_text(hint), is_nullable(hint)) == (text, nullable)


def test_a_path_as_operators_read_it() -> None:
    assert dotted(("methods", "profiles/get", "tags", 0)) == "methods.profiles/get.tags.0"
