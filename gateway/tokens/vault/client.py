"""Requests to one Vault, each of which blocks and may fail: the border to hvac, for a thread beside the loop.

Refuses to look for a token, a file or an address that the settings do not name (hvac by itself takes
VAULT_TOKEN and ~/.vault-token), to follow a redirect (hvac would hand the token on to wherever it leads), and
to go through the environment's proxies.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError
from gateway.tokens.secret import Secret
from gateway.tokens.vault.lease import Lease

EXTRA = 'reading tokens from Vault needs hvac: install "platform-gateway[vault]"'


_STRANGE = "it did not answer as Vault does"


class VaultError(GatewayError):
    """Vault did not give what was asked for. The text says why in an operator's words, without any secret."""


class VaultDeniedError(VaultError):
    """Vault does not take the token, or the token may not do this; Vault does not tell the two apart."""


class VaultRefusedError(VaultError):
    """Vault will not do this, however often it is asked."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a Vault is and how it is reached. `timeout`: seconds for one answer."""

    address: str
    namespace: str | None
    ca_file: Path | None
    timeout: float


def is_installed() -> bool:
    """Whether the library is there, without the time that its import takes."""
    return importlib.util.find_spec("hvac") is not None


class VaultClient:
    """For one thread at a time. `now` gives the seconds that leases are counted from."""

    def __init__(self, server: Server, now: Callable[[], float]) -> None:
        self.server = server
        self._now = now
        self._hvac: Any = None

    def forget_connections(self) -> None:
        """After an answer that did not come: whoever still waits for it keeps what it waits with."""
        self._hvac = None

    def log_in(self, mount: str, role_id: Secret, secret_id: Secret) -> Lease:
        """By AppRole. Raises VaultError."""
        ids = {"role_id": role_id.reveal(), "secret_id": secret_id.reveal()}
        with _translated(f"no AppRole login at {mount}", refused="the login was refused"):
            answer = self._as(None).auth.approle.login(**ids, use_token=False, mount_point=mount)
        return self._lease(answer, "auth")

    def look_up(self, token: Secret) -> Lease:
        """What Vault says of a token. Raises VaultError."""
        with _translated("there is no such namespace"):
            answer = self._as(token).auth.token.lookup_self()
        return self._lease(answer, "data", token)

    def renew(self, token: Secret) -> Lease:
        """A lease that begins anew. Raises VaultError."""
        with _translated("there is no such namespace", refused="the login cannot be renewed"):
            answer = self._as(token).auth.token.renew_self()
        return self._lease(answer, "auth", token)

    def read(self, token: Secret, mount: str, path: str) -> Mapping[str, object]:
        """The latest version of a secret. Raises VaultError."""
        with _translated("there is no such secret, or its latest version was deleted"):
            answer = self._as(token).secrets.kv.v2.read_secret_version(
                path, mount_point=mount, raise_on_deleted_version=True
            )
        return _part(_part(answer, "data"), "data")

    def _lease(self, answer: object, part: str, token: Secret | None = None) -> Lease:
        """Counted from when the answer came. Vault counts from a moment before, and `Lease` leaves room for
        more than that."""
        found = _part(answer, part)
        seconds = found.get("ttl" if part == "data" else "lease_duration")
        if token is None:
            given = found.get("client_token")
            if not isinstance(given, str):
                raise VaultError(_STRANGE)
            token = Secret(given)
        if not isinstance(seconds, int):
            raise VaultError(_STRANGE)
        return Lease(token, self._now(), float(seconds), found.get("renewable") is True)

    def _as(self, token: Secret | None) -> Any:
        """hvac's client, speaking for `token`."""
        if self._hvac is None:
            self._hvac = _hvac_client(self.server)
        # Never None, which would make hvac look for one.
        self._hvac.token = "" if token is None else token.reveal()
        return self._hvac


def _hvac_client(server: Server) -> Any:
    import hvac  # type: ignore[import-untyped]
    import requests

    session = requests.Session()
    session.trust_env = False
    session.verify = str(server.ca_file) if server.ca_file else True
    return hvac.Client(
        url=server.address,
        token="",
        verify=session.verify,
        timeout=server.timeout,
        namespace=server.namespace,
        allow_redirects=False,
        session=session,
    )


def _part(answer: object, name: str) -> Mapping[str, Any]:
    """A part of an answer. What is not Vault's JSON comes as a whole response."""
    found = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(found, dict):
        return found
    status = getattr(answer, "status_code", 200)
    if 300 <= status < 400:
        raise VaultError("it redirected the request; not followed")
    raise VaultError(_STRANGE)


@contextmanager
def _translated(absent: str, refused: str = "the request was refused") -> Iterator[None]:
    """`absent` says what a 404 means, `refused` a 400. The chain ends here: it holds requests and answers."""
    import requests
    from hvac import exceptions

    try:
        yield
    except exceptions.Forbidden:
        raise VaultDeniedError("permission denied") from None
    except exceptions.InvalidRequest:
        raise VaultRefusedError(refused) from None
    except exceptions.VaultError as error:
        raise VaultError(_meaning(error, absent)) from None
    except requests.RequestException as error:
        raise VaultError(_trouble(error)) from None
    except OSError:  # by requests, before it connects
        raise VaultError("its ca_file cannot be used") from None
    except UnicodeError:
        raise VaultError("the credentials hold characters that no HTTP header carries") from None
    except (AttributeError, KeyError, TypeError, ValueError):  # by hvac, of an answer that it did not expect
        raise VaultError(_STRANGE) from None


def _meaning(error: Exception, absent: str) -> str:
    from hvac import exceptions

    match error:
        case exceptions.InvalidPath():
            return absent
        case exceptions.VaultDown():
            return "it is sealed, or not active"
        case exceptions.VaultNotInitialized():
            return "it is not initialized"
        case exceptions.RateLimitExceeded():
            return "it has had too many requests"
        case _:
            return f"it failed ({type(error).__name__})"


def _trouble(error: Exception) -> str:
    import requests

    match error:
        case requests.exceptions.SSLError():
            return "there is no trusted TLS connection to it"
        case requests.exceptions.Timeout():
            return "it did not answer in time"
        case _:
            reason = _reason(error)
            return f"it cannot be reached ({reason})" if reason else "it cannot be reached"


def _reason(error: BaseException | None) -> str:
    """The operating system's words, somewhere down the chain: "Connection refused" helps whoever reads it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None and error.strerror:
            return error.strerror
        error = error.__cause__ or error.__context__
    return ""
