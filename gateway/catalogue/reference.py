"""The tables of `docs/reference/catalogue.md`, made from the data so that the page cannot say something else
than the gateway does. The prose around them is written by hand; a test compares the rest. To renew the page:

    >>> path = Path("docs/reference/catalogue.md")
    >>> path.write_text(renewed(path.read_text(), loading.load()))
"""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from gateway.catalogue.model import ApiMethod, Catalogue, Repeats
from gateway.catalogue.shape import Kind, Shape

BEGIN = "<!-- made from gateway/catalogue/data by gateway.catalogue.reference: begin -->\n"
END = "<!-- end -->\n"


def renewed(page: str, catalogue: Catalogue) -> str:
    """The page with its tables as the catalogue has them now; ValueError when it has no place for them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page lacks one of the marks around its tables")
    return head + BEGIN + tables(catalogue) + END + tail


def tables(catalogue: Catalogue) -> str:
    """One section with one table per family, in Markdown."""
    families = groupby(catalogue, key=attrgetter("family"))
    return "\n".join(_section(family, list(methods)) for family, methods in families)


def _section(family: str, methods: list[ApiMethod]) -> str:
    lines = [
        f"### {family}: {len(methods)}\n",
        "| method | effect | what it does | parameters | kept | tags | also |",
        "|---|---|---|---|---|---|---|",
        *map(_row, methods),
    ]
    return "\n".join(lines) + "\n"


def _row(method: ApiMethod) -> str:
    parameters = ", ".join(f"{name} {_spelt(shape)}" for name, shape in method.parameters.fields.items())
    tags = " ".join(f"`{tag}`" for tag in method.invalidates or method.tags)
    also = "; ".join(_peculiarities(method))
    cells = (_link(method), method.effect.value, method.summary, parameters, _kept(method), tags, also)
    return "| " + " | ".join(cells) + " |"


def _link(method: ApiMethod) -> str:
    return f"[`{method.name}`]({method.source})" if "://" in method.source else f"`{method.name}`"


def _kept(method: ApiMethod) -> str:
    if method.effect.modifies:
        return ""
    return "default" if method.ttl is None else f"{method.ttl:g}"


def _peculiarities(method: ApiMethod) -> Iterator[str]:
    if method.path:
        yield f"written `{method.path}`"
    if method.item_results:
        yield f"a code per item in `{method.item_results}`"
    if method.window is not None:
        yield f"repeats known for {method.window / 3600:g} h"
    if method.repeats is Repeats.CONTENT:
        yield "`Request-ID` from the content"
    if not method.carries_token:
        yield "no token is put in"
    if "://" not in method.source:
        yield method.source


def _spelt(shape: Shape) -> str:
    return f"[{_spelt(shape.items)}]" if shape.kind is Kind.LIST else shape.kind.value
