"""Where Redis is: what an address says, what it never shows, and that each kind of it leads there."""

from pathlib import Path

import pytest
import trustme

from gateway.errors import SettingsError
from gateway.stores.redis.address import Address
from tests import valkey
from tests.stores.redis.links import call, linked
from tests.valkey import Server

SECRET = "pass/word:with@signs"
QUOTED = "pass%2Fword%3Awith%40signs"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://redis.internal", "redis.internal:6379, database 0"),
        ("redis://redis.internal:7000/3", "redis.internal:7000, database 3"),
        (f"redis://gateway:{QUOTED}@redis.internal/1", "redis.internal:6379, database 1"),
        ("rediss://redis.internal", "redis.internal:6379, database 0"),
        ("unix:///run/redis.sock?db=2", "unix:/run/redis.sock, database 2"),
    ],
)
def test_an_address_says_where_it_leads_and_no_more(url: str, shown: str) -> None:
    address = Address.parse(url)
    assert str(address) == shown
    assert SECRET not in repr(address)


def test_user_and_password_are_decoded() -> None:
    address = Address.parse(f"redis://gate%20way:{QUOTED}@h")
    assert (address.user, address.password) == ("gate way", SECRET)


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{QUOTED}@h/first",
        f"redis://:{QUOTED}@h:port",
        f"rediss://:{QUOTED}@h?ssl_ca_certs=/nowhere",
        f"rediss://:{QUOTED}@h?ssl_certfile=/nowhere",
    ],
)
def test_what_cannot_be_used_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Address.parse(url)
    assert "redis.url" in str(refused.value)
    assert "word" not in str(refused.value)


@pytest.mark.anyio
async def test_a_unix_socket_leads_there(tmp_path: Path) -> None:
    path = tmp_path / "valkey.sock"
    with valkey.running(valkey.valkey(), tmp_path, "--unixsocket", str(path)):
        async with linked(f"unix://{path}?db=1") as watched:
            assert watched.link.is_up
            assert await call(lambda: watched.link.ask("get", b"GET", b"nothing")) is None


@pytest.fixture
def over_tls(tmp_path: Path) -> tuple[str, ...]:
    """What a server needs to take TLS on its port, and the authority's file last."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = {name: str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem")}
    authority.cert_pem.write_to_path(files["ca.pem"])
    certificate.cert_chain_pems[0].write_to_path(files["cert.pem"])
    certificate.private_key_pem.write_to_path(files["key.pem"])
    options = ("--tls-cert-file", files["cert.pem"], "--tls-key-file", files["key.pem"])
    return (*options, "--tls-ca-cert-file", files["ca.pem"], "--tls-auth-clients", "no", files["ca.pem"])


@pytest.mark.full
@pytest.mark.anyio
async def test_tls_leads_there_only_with_a_certificate_that_is_trusted(
    tmp_path: Path, over_tls: tuple[str, ...]
) -> None:
    *options, authority = over_tls
    port = valkey.free_port()
    with valkey.running(valkey.debian_redis(), tmp_path, "--tls-port", str(port), *options) as server:
        url = f"rediss://127.0.0.1:{port}/0"
        async with linked(f"{url}?ssl_ca_certs={authority}") as watched:
            assert watched.link.is_up
        async with linked(f"{url}?ssl_cert_reqs=none") as watched:
            assert watched.link.is_up
        async with linked(url) as watched:
            assert not watched.link.is_up
            assert "no trusted TLS connection" in watched.link.problem
        assert isinstance(server, Server)
