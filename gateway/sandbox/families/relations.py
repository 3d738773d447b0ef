"""relations/*: weighted relations between two profiles."""

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.matching import find_one
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params, as_number

Key = tuple[int, str, str]


def edit(state: State, params: Params, context: Context) -> Fields:
    """Overwrites the weights, and creates the relation if there is none."""
    key = _key(state, params, context)
    state.relations[key] = _weights(params)
    return _public(key)


def strengthen(state: State, params: Params, context: Context) -> Fields:
    """Adds to the weights."""
    key = _known(state, params, context)
    weights = state.relations[key]
    steps = _weights(params)
    state.relations[key] = weights | {name: weights.get(name, 0.0) + step for name, step in steps.items()}
    return _public(key)


def detach(state: State, params: Params, context: Context) -> Fields:
    key = _known(state, params, context)
    del state.relations[key]
    return _public(key)


def _known(state: State, params: Params, context: Context) -> Key:
    key = _key(state, params, context)
    if key not in state.relations:
        raise ApiError(Code.NOT_FOUND, "no such relation")
    return key


def _key(state: State, params: Params, context: Context) -> Key:
    relation_id = params.integer("rel_id")
    if relation_id not in state.relation_types:
        raise ApiError(Code.NOT_FOUND, "no such kind of relation")
    return relation_id, _end(state, params, context, "profile_a"), _end(state, params, context, "profile_b")


def _end(state: State, params: Params, context: Context, name: str) -> str:
    """Each end has matching fields and a database of its own."""
    own = Params(params.object(name))
    return find_one(context.pick(state.databases, own.integer("db_id")), own).id


def _weights(params: Params) -> dict[str, float]:
    return {name: as_number(value, name) for name, value in params.object("weights").items()}


def _public(key: Key) -> Fields:
    return {"profile_a": key[1], "profile_b": key[2], "relation_id": key[0]}
