"""From settings to token sources. Tokens that are read from one Vault by one login share a session there."""

from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakValueDictionary

from gateway.errors import TokenMissingError
from gateway.settings.names import read_vault_address
from gateway.settings.token_source import Reference, VaultLogin, VaultSecret
from gateway.settings.token_source import TokenSource as TokenSettings
from gateway.tokens.secret import Secret
from gateway.tokens.sources import EnvSource, FileSource, TokenSource
from gateway.tokens.vault import client
from gateway.tokens.vault.client import Server, VaultClient
from gateway.tokens.vault.login import AppRoleLogin, Login, TokenLogin
from gateway.tokens.vault.session import VaultSession
from gateway.tokens.vault.source import Place, VaultSource


class TokenPlaces:
    """Makes sources; asks none."""

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        chance: Callable[[], float],
        learn: Callable[[Secret, str], None],
    ) -> None:
        """`clock` is monotonic, `chance` gives 0..1. `learn` is told each secret that a source needs on its
        way to a token, and whose it is."""
        self._environ = environ
        self._clock = clock
        self._chance = chance
        self._learn = learn
        self._sessions: WeakValueDictionary[tuple[Server, VaultLogin], VaultSession] = WeakValueDictionary()

    def source(self, settings: TokenSettings) -> TokenSource:
        """Raises TokenMissingError for a source that cannot be had: the library is not installed, or nothing
        says where the Vault is."""
        if settings.vault is None:
            return self._reference(settings)
        return self._vault(settings.vault)

    def _reference(self, settings: Reference) -> TokenSource:
        if settings.env is not None:
            return EnvSource(settings.env, self._environ)
        assert settings.file is not None  # the settings have exactly one
        return FileSource(settings.file)

    def _vault(self, settings: VaultSecret) -> VaultSource:
        if not client.is_installed():
            raise TokenMissingError(client.EXTRA)
        place = Place(settings.mount, settings.path, settings.key, settings.refresh)
        return VaultSource(self._session(settings), place, self._clock, self._chance)

    def _session(self, settings: VaultSecret) -> VaultSession:
        server = self._server(settings)
        session = self._sessions.get((server, settings.auth))
        if session is None:
            owner = f"vault {len(self._sessions)} {server.address}"
            session = VaultSession(
                VaultClient(server, self._clock),
                self._login(settings.auth),
                lambda secret, part: self._learn(secret, f"{owner} {part}"),
                self._clock,
            )
            self._sessions[server, settings.auth] = session
        return session

    def _server(self, settings: VaultSecret) -> Server:
        """What the settings leave out is taken from the variables that Vault's own tools read."""
        ca_file, namespace = self._environ.get("VAULT_CACERT"), self._environ.get("VAULT_NAMESPACE", "")
        return Server(
            settings.address or self._address(),
            settings.namespace or namespace.strip("/") or None,
            settings.ca_file or (Path(ca_file) if ca_file else None),
            settings.timeout,
        )

    def _address(self) -> str:
        try:
            return read_vault_address(self._environ["VAULT_ADDR"])
        except KeyError:
            raise TokenMissingError("vault.address is not set, and neither is VAULT_ADDR") from None
        except ValueError as error:
            raise TokenMissingError(f"VAULT_ADDR {error}") from None

    def _login(self, settings: VaultLogin) -> Login:
        if settings.approle is None:
            assert settings.token is not None  # the settings have exactly one
            return TokenLogin(self._reference(settings.token))
        role = settings.approle
        return AppRoleLogin(role.mount, self._reference(role.role_id), self._reference(role.secret_id))
