"""Where secrets come from. A secret itself is never written in the settings, so there is no key for one."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from gateway.settings.names import FilePath, Variable, VaultPath, VaultUrl
from gateway.settings.section import Section
from gateway.settings.spelling import refusal
from gateway.settings.units import Period


class Reference(Section):
    """Where one secret is kept: a variable of the environment, or a file."""

    alternatives: ClassVar[tuple[frozenset[str], ...]] = (frozenset({"env"}), frozenset({"file"}))

    env: Variable | None = Field(default=None, description="The environment variable that holds it.")
    file: FilePath | None = Field(
        default=None, description="The file that holds it, such as a mounted secret."
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_literal(cls, value: Any) -> Any:
        """Anything but the known keys is refused as a whole: even a key may be a token, as in `{s3cr3t}`."""
        if not isinstance(value, cls) and not (
            isinstance(value, Mapping) and value.keys() <= cls.model_fields.keys()
        ):
            *some, last = (f"{key}:" for key in cls.model_fields)
            raise refusal(f"a token is never written here; use {', '.join(some)} or {last}")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        self.require_one_alternative()
        return self


class AppRole(Section):
    """HashiCorp Vault's login for machines."""

    role_id: Reference = Field(description="Where the role's id is kept.")
    secret_id: Reference = Field(description="Where the secret that belongs to it is kept.")
    mount: VaultPath = Field(default="approle", description="Where this login is mounted.")


class VaultLogin(Section):
    """How the gateway proves to Vault who it is: by exactly one of `token` and `approle`."""

    alternatives: ClassVar[tuple[frozenset[str], ...]] = (frozenset({"token"}), frozenset({"approle"}))

    token: Reference | None = Field(default=None, description="Where a Vault token is kept.")
    approle: AppRole | None = Field(default=None, description="A login by AppRole.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        self.require_one_alternative()
        return self


class VaultSecret(Section):
    """One key of one secret in HashiCorp Vault's KV store, version 2."""

    path: VaultPath = Field(description="The secret's path below the mount.")
    key: str = Field(min_length=1, description="The key in it whose value is the token.")
    mount: VaultPath = Field(default="secret", description="Where the KV store is mounted.")
    address: VaultUrl | None = Field(
        default=None, description="Vault's address; null: the variable VAULT_ADDR."
    )
    namespace: VaultPath | None = Field(
        default=None, description="Vault's namespace; null: the variable VAULT_NAMESPACE, or none."
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="The authorities that Vault's certificate is checked against, as PEM; null: the variable "
        "VAULT_CACERT, or the usual ones.",
    )
    timeout: Period = Field(default=5.0, description="How long Vault may take for one answer.")
    refresh: Period = Field(
        default=60.0, description="How often the secret is read again, more or less by a tenth."
    )
    auth: VaultLogin = Field(
        default=VaultLogin(token=Reference(env="VAULT_TOKEN")),
        description="How the gateway logs in at Vault.",
    )


class TokenSource(Reference):
    """Where a token of the platform comes from: exactly one of `env`, `file` and `vault`."""

    alternatives: ClassVar[tuple[frozenset[str], ...]] = (*Reference.alternatives, frozenset({"vault"}))

    vault: VaultSecret | None = Field(
        default=None, description="The secret of HashiCorp Vault that holds it."
    )
