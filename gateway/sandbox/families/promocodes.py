"""promocodes/*: the pool of a loyalty program, and the codes attached to profiles."""

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.matching import find_one
from gateway.sandbox.records import LoyaltyProgram, PromoCode
from gateway.sandbox.state import State
from gateway.sandbox.times import moment, text_of
from gateway.sandbox.values import Fields, Params


def _program(state: State, params: Params, context: Context) -> LoyaltyProgram:
    return context.pick(state.programs, params.integer("loyalty_id"))


def _code(state: State, params: Params, context: Context) -> PromoCode:
    program, name = _program(state, params, context), params.text("code")
    if name not in program.codes:
        raise ApiError(Code.NOT_FOUND, "no such promo code")
    return program.codes[name]


def import_codes(state: State, params: Params, context: Context) -> Fields:
    """Codes beyond the program's limit are left out, and counted."""
    program = _program(state, params, context)
    params.raw("codes")
    sent = params.texts("codes")
    fresh = [name for name in dict.fromkeys(sent) if name not in program.codes]
    taken = fresh[: max(program.code_limit - len(program.codes), 0)]
    for name in taken:
        program.codes[name] = PromoCode(code=name)
    counts: Fields = {"discarded_by_limit": len(fresh) - len(taken), "duplicated": len(sent) - len(fresh)}
    return {"data": [*taken], **counts, "inserted": len(taken)}


def get(state: State, params: Params, context: Context) -> Fields:
    return {"data": _public(_code(state, params, context))}


def activate(state: State, params: Params, context: Context) -> Fields:
    """Only a code that is attached to a profile can be used."""
    code = _code(state, params, context)
    if code.owner is None:
        raise ApiError(Code.VALIDATION, "the promo code is not attached to a profile")
    code.is_activated = True
    return {"data": None}


def update(state: State, params: Params, context: Context) -> Fields:
    code = _code(state, params, context)
    expires = moment(params, "expire_date", code.expires)
    if "activated" in params:
        code.is_activated = params.flag("activated")
    code.expires = expires
    return {"data": _public(code)}


def attach(state: State, params: Params, context: Context) -> Fields:
    """An unknown code is imported first; without a code the next free one of the pool is taken."""
    program = _program(state, params, context)
    database = context.pick(state.databases, params.integer("db_id"))
    profile = find_one(database, params)
    if "code" in params:
        name = params.text("code")
        code = program.codes.get(name) or PromoCode(code=name)
    else:
        free = [code for code in program.codes.values() if code.owner is None]
        if not free:
            raise ApiError(Code.NOT_FOUND, "no free promo code")
        code = free[0]
    if code.owner not in (None, (database.id, profile.id)):
        raise ApiError(Code.DUPLICATE, "the promo code is attached to another profile")
    code.owner = (database.id, profile.id)
    program.codes[code.code] = code
    return {"data": _public(code)}


def detach(state: State, params: Params, context: Context) -> Fields:
    program = _program(state, params, context)
    database = context.pick(state.databases, params.integer("db_id"))
    owner = (database.id, find_one(database, params).id)
    wanted = params.text("code", "")
    found = [code for code in program.codes.values() if code.owner == owner and wanted in ("", code.code)]
    if not found:
        raise ApiError(Code.NOT_FOUND, "the profile has no such promo code")
    if len(found) > 1:
        raise ApiError(Code.AMBIGUOUS, "the profile has several promo codes")
    found[0].owner = None
    return {"data": _public(found[0])}


def export_all(state: State, params: Params, context: Context) -> Fields:
    return {"data": [_public(code) for code in _program(state, params, context).codes.values()]}


def _public(code: PromoCode) -> Fields:
    owner = None if code.owner is None else code.owner[1]
    expires = None if code.expires is None else text_of(code.expires)
    return {"code": code.code, "profile_id": owner, "activated": code.is_activated, "expire_date": expires}
