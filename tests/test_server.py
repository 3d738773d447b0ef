"""gateway.server: the socket. How it serves and ends is shown over real processes in tests/e2e."""

import errno
import socket
import stat
from pathlib import Path

import pytest

from gateway import server
from gateway.settings.sections import Listen


def uds(path: Path) -> Listen:
    return Listen.model_validate({"uds": str(path)})


def test_any_free_port_is_found_and_told() -> None:
    with server.bind(Listen.model_validate({"host": "127.0.0.1", "port": 0})) as listener:
        assert server.address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_ipv6_address_is_told_in_brackets() -> None:
    with server.bind(Listen.model_validate({"host": "::1", "port": 0})) as listener:
        assert server.address(listener).startswith("http://[::1]:")


@pytest.mark.parametrize("host", ["gateway.invalid", "gateway..internal"])
def test_a_name_that_cannot_be_resolved_is_an_error_that_says_so(host: str) -> None:
    with pytest.raises(OSError, match="the name cannot be resolved") as refused:
        server.bind(Listen.model_validate({"host": host, "port": 0}))
    assert host in str(refused.value)


def test_a_taken_port_is_an_error_that_says_so() -> None:
    with server.bind(Listen.model_validate({"port": 0})) as first:
        taken = Listen.model_validate({"port": first.getsockname()[1]})
        with pytest.raises(OSError, match="in use") as refused:
            server.bind(taken)
    assert refused.value.errno == errno.EADDRINUSE


def test_a_unix_socket_is_for_owner_and_group_only(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    with server.bind(uds(path)) as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert server.address(listener) == f"unix:{path}"


def test_a_socket_that_a_crash_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    server.bind(uds(path)).close()
    assert path.exists()
    with server.bind(uds(path)), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_a_socket_that_is_listened_on_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    with server.bind(uds(path)), pytest.raises(OSError, match="in use"):
        server.bind(uds(path))


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(OSError):
        server.bind(uds(path))
    assert path.read_text() == "mine"
