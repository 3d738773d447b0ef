"""What all sections of the settings have in common, and the rule for alternatives."""

from collections.abc import Collection
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from gateway.settings.spelling import refusal


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys and keeps what was written out of its errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    alternatives: ClassVar[tuple[frozenset[str], ...]] = ()
    """Groups of keys of which only one may be written, as in {env} | {file} | {vault}."""

    @classmethod
    def rivals(cls, keys: Collection[str]) -> frozenset[str]:
        """The keys that step aside when `keys` are given by a source of higher rank."""
        chosen = [group for group in cls.alternatives if group & set(keys)]
        if not chosen:
            return frozenset()
        return frozenset().union(*cls.alternatives) - frozenset().union(*chosen)

    def require_one_alternative(self) -> None:
        """For a validator: exactly one group of `alternatives` has a value."""
        given = [group for group in self.alternatives if any(getattr(self, key) is not None for key in group)]
        if len(given) != 1:
            names = " | ".join(f"{', '.join(sorted(group))}:" for group in self.alternatives)
            raise refusal(f"needs exactly one of {names}")
