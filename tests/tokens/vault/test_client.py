"""What Vault's answers mean, and what is not done with them; from a server that answers as each test says."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.tokens.secret import Secret
from gateway.tokens.vault.client import Server, VaultClient, VaultDeniedError, VaultError, VaultRefusedError

TOKEN = Secret("a-token-of-vault")
SECRET = {"data": {"data": {"token": "the-token"}, "metadata": {}}}


@dataclass
class Answers:
    """One answer for every request, and the requests."""

    status: int = 200
    body: bytes = json.dumps(SECRET).encode()
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    address: str = ""


@contextmanager
def answering(answers: Answers) -> Iterator[VaultClient]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.seen.append((self.path, dict(self.headers)))
            self.send_response(answers.status)
            for name, value in {**answers.headers, "Content-Length": str(len(answers.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answers.body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """A test's output is its failures."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        answers.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield client_of(answers.address)
        finally:
            server.shutdown()
            serving.join()


def client_of(address: str, ca_file: Path | None = None) -> VaultClient:
    return VaultClient(Server(address, "team/a", ca_file, timeout=5.0), time.monotonic)


def reading(client: VaultClient) -> object:
    return client.read(TOKEN, "secret", "team/platform")


def logging_in(client: VaultClient) -> object:
    return client.log_in("approle", Secret("role-id-1"), Secret("secret-id-1"))


def test_a_secret_is_asked_for_with_token_and_namespace() -> None:
    answers = Answers()
    with answering(answers) as client:
        assert reading(client) == {"token": "the-token"}
    ((path, headers),) = answers.seen
    assert path == "/v1/secret/data/team/platform"
    assert (headers["X-Vault-Token"], headers["X-Vault-Namespace"]) == (TOKEN.reveal(), "team/a")


def test_nothing_is_taken_from_the_environment_that_the_settings_do_not_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """hvac looks for tokens, and what it is built on for proxies and passwords."""
    (tmp_path / ".vault-token").write_text("token-in-the-home")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    for name, value in {
        "HOME": str(tmp_path),
        "VAULT_TOKEN": "token-in-the-environment",
        "http_proxy": "http://127.0.0.1:1",
        "VAULT_ADDR": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    answers = Answers(body=b'{"auth": {"client_token": "given-token", "lease_duration": 60}}')
    with answering(answers) as client:
        logging_in(client)
    ((_, headers),) = answers.seen
    assert not {"X-Vault-Token", "Authorization"} & headers.keys()


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (400, VaultRefusedError, "the request was refused"),
        (403, VaultDeniedError, "permission denied"),
        (404, VaultError, "there is no such secret, or its latest version was deleted"),
        (429, VaultError, "it has had too many requests"),
        (500, VaultError, "it failed (InternalServerError)"),
        (501, VaultError, "it is not initialized"),
        (503, VaultError, "it is sealed, or not active"),
        (418, VaultError, "it failed (UnexpectedError)"),
    ],
)
@pytest.mark.parametrize("body", [b'{"errors": ["a-token-of-vault"]}', b"a-token-of-vault", b""])
def test_a_status_is_told_in_our_own_words(
    status: int, kind: type[VaultError], text: str, body: bytes
) -> None:
    with answering(Answers(status, body)) as client, pytest.raises(VaultError) as refusal:
        reading(client)
    assert (type(refusal.value), str(refusal.value)) == (kind, text)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("status", [200, 204, 403, 500])
@pytest.mark.parametrize("body", [b"[]", b'{"errors": 1}', b'{"errors": [1]}'])
def test_an_answer_that_the_library_does_not_expect_is_refused_too(status: int, body: bytes) -> None:
    with answering(Answers(status, body)) as client, pytest.raises(VaultError):
        reading(client)


@pytest.mark.parametrize("ask", [reading, logging_in], ids=["read", "login"])
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"data": 1}', b'{"data": {"data": []}}', b'{"auth": {}}'],
)
def test_an_answer_that_is_none_of_vaults_is_refused(
    ask: Callable[[VaultClient], object], body: bytes
) -> None:
    answers = Answers(body=body)
    with answering(answers) as client, pytest.raises(VaultError, match=r"^it did not answer as Vault does$"):
        ask(client)


def test_a_redirect_is_not_followed_since_it_would_take_the_token_along() -> None:
    elsewhere = Answers()
    with answering(elsewhere):
        answers = Answers(307, b"", {"Location": f"{elsewhere.address}/v1/secret/data/team/platform"})
        with answering(answers) as client, pytest.raises(VaultError, match="redirected"):
            reading(client)
    assert elsewhere.seen == []


def test_a_vault_that_is_not_there_is_told_with_the_systems_reason() -> None:
    with pytest.raises(VaultError, match=r"^it cannot be reached \(Connection refused\)$"):
        reading(client_of("http://127.0.0.1:1"))


def test_a_plain_port_is_no_tls() -> None:
    answers = Answers()
    with answering(answers), pytest.raises(VaultError, match=r"^there is no trusted TLS connection to it$"):
        reading(client_of(answers.address.replace("http", "https")))


def test_authorities_that_cannot_be_read_are_named() -> None:
    with pytest.raises(VaultError, match=r"^its ca_file cannot be used$"):
        reading(client_of("https://127.0.0.1:1", Path("/nowhere/ca.pem")))


def test_credentials_that_no_header_carries_are_told_and_not_shown() -> None:
    with (
        answering(Answers()) as client,
        pytest.raises(VaultError, match=r"^the credentials hold characters that no HTTP header carries$"),
    ):
        client.read(Secret("\u0442\u043e\u043a\u0435\u043d-123"), "secret", "team/platform")
