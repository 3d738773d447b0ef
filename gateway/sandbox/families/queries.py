"""The filter of profiles/list: the usual Mongo-style operators. An unknown one is refused (450)."""

from collections.abc import Callable, Mapping

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.values import Fields, Value, as_list, as_object

Test = Callable[[Fields], bool]


def selects(query: Fields) -> Test:
    """A test for a record's fields; the empty query takes every record."""
    tests = [_condition(name, value) for name, value in query.items()]
    return lambda record: all(test(record) for test in tests)


def _condition(name: str, value: Value) -> Test:
    if name in ("$or", "$and"):
        tests = [selects(as_object(item, name)) for item in as_list(value)]
        quantifier = any if name == "$or" else all
        return lambda record: quantifier(test(record) for test in tests)
    if name.startswith("$"):
        raise ApiError(Code.VALIDATION, f"the operator {name} is not simulated")
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        checks = [_comparison(operator, operand) for operator, operand in value.items()]
        return lambda record: all(check(record.get(name)) for check in checks)
    return lambda record: _equal(record.get(name), value)


def _comparison(operator: str, operand: Value) -> Callable[[Value], bool]:
    if operator not in _OPERATORS:
        raise ApiError(Code.VALIDATION, f"the operator {operator} is not simulated")
    compare = _OPERATORS[operator]
    return lambda found: compare(found, operand)


def _equal(found: Value, wanted: Value) -> bool:
    """Equal, or one of the items of a list field; a number is also equal to its text."""
    if isinstance(found, list) and not isinstance(wanted, list):
        return any(_equal(item, wanted) for item in found)
    if isinstance(found, str | int | float) and isinstance(wanted, str | int | float):
        return str(found) == str(wanted)
    return found == wanted


def _ordered(compare: Callable[[float], bool]) -> Callable[[Value, Value], bool]:
    """Numbers in their order, texts in theirs; a mixture is in no order."""

    def test(found: Value, wanted: Value) -> bool:
        if isinstance(found, int | float) and isinstance(wanted, int | float):
            return compare(found - wanted)
        if isinstance(found, str) and isinstance(wanted, str):
            return compare((found > wanted) - (found < wanted))
        return False

    return test


_OPERATORS: Mapping[str, Callable[[Value, Value], bool]] = {
    "$eq": _equal,
    "$ne": lambda found, wanted: not _equal(found, wanted),
    "$in": lambda found, wanted: any(_equal(found, item) for item in as_list(wanted)),
    "$nin": lambda found, wanted: not any(_equal(found, item) for item in as_list(wanted)),
    "$exists": lambda found, wanted: (found is not None) is bool(wanted),
    "$gt": _ordered(lambda difference: difference > 0),
    "$gte": _ordered(lambda difference: difference >= 0),
    "$lt": _ordered(lambda difference: difference < 0),
    "$lte": _ordered(lambda difference: difference <= 0),
}
