"""Contexts made from settings; that they hold on the wire is tested in transport/test_dialing.py."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from gateway.upstream.tls import build_context


def test_certificates_and_names_are_checked_unless_told_otherwise() -> None:
    context = build_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_unverified_means_neither_certificate_nor_name() -> None:
    context = build_context(verify=False)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_a_ca_file_replaces_the_systems_authorities(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    assert build_context(ca_file=str(path)).cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "broken"])
@pytest.mark.parametrize("option", ["ca_file", "client_cert"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, option: str, content: str | None) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content)
    files: dict[str, Any] = {option: str(path)}
    with pytest.raises(ValueError, match=f"{option} {path}"):
        build_context(**files)


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    pair = trustme.CA().issue_cert("client.test")
    key = serialization.load_pem_private_key(pair.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    cert, key_file = tmp_path / "client.pem", tmp_path / "client.key"
    pair.cert_chain_pems[0].write_to_path(cert)
    key_file.write_bytes(locked)
    with pytest.raises(ValueError, match="passphrase"):
        build_context(client_cert=str(cert), client_key=str(key_file))
