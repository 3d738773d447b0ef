"""Rules about methods that may be misspelt: they name what the catalogue does not know. The platform may know
it all the same, so this is never more than a warning."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from gateway.catalogue.loading import load as shipped_catalogue
from gateway.catalogue.model import Catalogue
from gateway.catalogue.overriding import override
from gateway.catalogue.template import parse
from gateway.settings.environment import did_you_mean
from gateway.settings.model import Settings
from gateway.settings.structure import KeyPath


def dubious_rules(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """The key of each, and what to say of it: without the name itself, as in all messages."""
    if settings.methods or settings.method_policy.deny:
        catalogue = override(shipped_catalogue(), settings.method_changes())
        yield from _tags(settings, catalogue)
        yield from _denied(settings, catalogue)


def _tags(settings: Settings, catalogue: Catalogue) -> Iterator[tuple[KeyPath, str]]:
    """Tags by a parameter that no call is known to have: each call would count as one about anything."""
    for name, rule in settings.methods.items():
        parameters = catalogue.methods[name].parameters.fields
        for key, tags in (("tags", rule.tags), ("invalidates", rule.invalidates)):
            for position, tag in enumerate(tags or ()):
                parameter = parse(tag).parameter
                if parameter is not None and parameters and parameter not in parameters:
                    text = "names a parameter that the method is not known to have"
                    yield ("methods", name, key, position), text + did_you_mean(parameter, parameters)


def _denied(settings: Settings, catalogue: Catalogue) -> Iterator[tuple[KeyPath, str]]:
    """Denied whatever the case, as `routing` compares."""
    names = {method.name.lower(): method.name for method in catalogue}
    for position, pattern in enumerate(settings.method_policy.deny):
        if not any(fnmatchcase(name, pattern.lower()) for name in names):
            text = (
                "is no method that is known" if "*" not in pattern else "stands for no method that is known"
            )
            yield ("method_policy", "deny", position), text + did_you_mean(pattern.lower(), names)
