"""Lists page by page, in the two forms that the platform has: integer ids, and text ids."""

from collections.abc import Iterable

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.state import AnyItem, Shelf
from gateway.sandbox.values import Fields, Params, as_text

_LIMIT = 1000  # the documented default; the highest value that the platform takes is not documented


def list_items(
    shelf: Shelf[AnyItem], params: Params, context: Context, where: Fields | None = None
) -> Fields:
    """`data, next_from_id, total_count` of the objects that the token sees: databases/list and its like."""
    tags, groups = set(params.texts("ui_tags")), set(params.integers("groups_id"))
    shown = [
        item
        for item in shelf
        if context.token.sees(item.group)
        and _has(item.public(), where or {})
        and tags <= set(item.ui_tags)
        and (not groups or item.group in groups)
    ]
    start, limit = params.integer("from_id", 1), _limit(params)
    rest = [item for item in shown if item.id >= start]
    reply: Fields = {"data": [item.public() for item in rest[:limit]], "total_count": len(shown)}
    if len(rest) > limit:
        reply["next_from_id"] = rest[limit].id
    return reply


def page_of(rows: Iterable[tuple[str, Fields]], params: Params) -> Fields:
    """`data` and a text `next_from_id`, for rows with a text id each: profiles/list and its like."""
    start, limit = params.text("from_id", ""), _limit(params)
    rest = sorted((row for row in rows if row[0] >= start), key=lambda row: row[0])
    reply: Fields = {"data": [fields for _, fields in rest[:limit]]}
    if len(rest) > limit:
        reply["next_from_id"] = rest[limit][0]
    return reply


def _has(shown: Fields, where: Fields) -> bool:
    """Compared as text: a filter may come from XML."""
    return all(as_text(shown[name], name) == as_text(value, name) for name, value in where.items())


def _limit(params: Params) -> int:
    limit = params.integer("limit", _LIMIT)
    if limit < 1:
        raise ApiError(Code.VALIDATION, "limit is less than 1")
    return limit
