"""loyalty/*: members and points. Amounts are decimal numbers written as text, as the platform has them."""

from decimal import Decimal, InvalidOperation

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.matching import find_one
from gateway.sandbox.families.paging import page_of
from gateway.sandbox.records import LoyaltyProgram, Profile, Transaction, TransactionState
from gateway.sandbox.state import State
from gateway.sandbox.times import moment, text_of
from gateway.sandbox.values import Fields, Params

_COUNTED = (TransactionState.COMMITTED, TransactionState.TEMPORARY)


def _program(state: State, params: Params, context: Context) -> LoyaltyProgram:
    return context.pick(state.programs, params.integer("loyalty_program_id"))


def _profile(state: State, params: Params, context: Context, program: LoyaltyProgram) -> Profile:
    return find_one(context.pick(state.databases, program.database_id), params)


def _member(state: State, params: Params, context: Context, program: LoyaltyProgram) -> str:
    profile = _profile(state, params, context, program)
    if profile.id not in program.members:
        raise ApiError(Code.NOT_FOUND, "the profile is not a member of the program")
    return profile.id


def register_member(state: State, params: Params, context: Context) -> Fields:
    program = _program(state, params, context)
    profile = _profile(state, params, context, program)
    if profile.id in program.members:
        raise ApiError(Code.DUPLICATE, "the profile is a member already")
    program.members.add(profile.id)
    return {"profile_id": profile.id}


def accrue(state: State, params: Params, context: Context) -> Fields:
    program = _program(state, params, context)
    return _transact(state, params, context, program, _amount(params))


def redeem(state: State, params: Params, context: Context) -> Fields:
    program = _program(state, params, context)
    amount = _amount(params)
    if active_balance(program, _member(state, params, context, program), context.now) < amount:
        raise ApiError(Code.VALIDATION, "not enough points")
    return _transact(state, params, context, program, -amount)


def _amount(params: Params) -> Decimal:
    try:
        amount = Decimal(params.text("amount"))
    except InvalidOperation as error:
        raise ApiError(Code.VALIDATION, "amount is not a decimal number") from error
    if not amount.is_finite() or amount <= 0:
        raise ApiError(Code.VALIDATION, "amount is not a positive number")
    return amount


def _transact(
    state: State, params: Params, context: Context, program: LoyaltyProgram, amount: Decimal
) -> Fields:
    """A caller's own `transaction_eid` is unique: that is what makes a repeat safe."""
    member = _member(state, params, context, program)
    eid = params.text("transaction_eid", "")
    if eid and any(known.eid == eid for known in program.transactions):
        raise ApiError(Code.DUPLICATE, "transaction_eid")
    transaction = Transaction(
        id=state.uuid(),
        eid=eid,
        profile_id=member,
        amount=amount,
        created=moment(params, "created_at", context.now),
        active_from=moment(params, "activation_date", context.now),
        expires=moment(params, "expiration_date", None),
        state=TransactionState.TEMPORARY if params.flag("is_temp") else TransactionState.COMMITTED,
    )
    program.transactions.append(transaction)
    return {"data": {"transaction_id": transaction.id}}


def commit(state: State, params: Params, context: Context) -> Fields:
    return _decide(state, params, context, TransactionState.COMMITTED)


def cancel(state: State, params: Params, context: Context) -> Fields:
    return _decide(state, params, context, TransactionState.CANCELLED)


def _decide(state: State, params: Params, context: Context, decision: TransactionState) -> Fields:
    """Only a temporary transaction can be confirmed; a cancelled one cannot be cancelled again."""
    transaction = _transaction(state, params, context)
    is_open = transaction.state is TransactionState.TEMPORARY
    is_undo = decision is TransactionState.CANCELLED and transaction.state is not decision
    if not (is_open or is_undo):
        raise ApiError(Code.VALIDATION, f"the transaction is {transaction.state}")
    transaction.state = decision
    return {"data": {"transaction_id": transaction.id}}


def _transaction(state: State, params: Params, context: Context) -> Transaction:
    wanted_id, wanted_eid = params.text("transaction_id", ""), params.text("transaction_eid", "")
    if not wanted_id and not wanted_eid:
        raise ApiError(Code.INCORRECT_REQUEST, "transaction_id or transaction_eid is required")
    for program in state.programs:
        for transaction in program.transactions:
            is_meant = transaction.id == wanted_id if wanted_id else transaction.eid == wanted_eid
            if is_meant and context.token.sees(program.group):
                return transaction
    raise ApiError(Code.NOT_FOUND, "no such transaction")


def balance(state: State, params: Params, context: Context) -> Fields:
    program = _program(state, params, context)
    member = _member(state, params, context, program)
    total = sum((one.amount for one in _counted(program, member, context.now)), Decimal(0))
    active = active_balance(program, member, context.now)
    return {"data": {"total_balance": str(total), "active_balance": str(active)}}


def active_balance(program: LoyaltyProgram, member: str, now: float) -> Decimal:
    """What can be spent: committed points that are active already, less all that is spent or set aside."""
    counted = _counted(program, member, now)
    return sum((one.amount for one in counted if one.amount < 0 or _is_active(one, now)), Decimal(0))


def _counted(program: LoyaltyProgram, member: str, now: float) -> list[Transaction]:
    return [
        transaction
        for transaction in program.transactions
        if transaction.profile_id == member and transaction.state in _COUNTED
        if transaction.expires is None or transaction.expires > now
    ]


def _is_active(transaction: Transaction, now: float) -> bool:
    return transaction.state is TransactionState.COMMITTED and transaction.active_from <= now


def expiring(state: State, params: Params, context: Context) -> Fields:
    program = _program(state, params, context)
    member = _member(state, params, context, program)
    start, end = moment(params, "date_from", None), moment(params, "date_to", None)
    if start is None or end is None:
        raise ApiError(Code.INCORRECT_REQUEST, "date_from and date_to are required")
    found = [
        transaction
        for transaction in _counted(program, member, context.now)
        if transaction.expires is not None and start <= transaction.expires <= end
    ]
    return {"data": [_public(transaction) for transaction in found]}


def transactions(state: State, params: Params, context: Context) -> Fields:
    wanted = params.optional_integer("loyalty_program_id")
    rows: list[tuple[str, Fields]] = []
    for program in state.programs:
        if context.token.sees(program.group) and wanted in (None, program.id):
            member = _profile(state, params, context, program).id
            mine = [one for one in program.transactions if one.profile_id == member]
            rows += [(transaction.id, _public(transaction)) for transaction in mine]
    return page_of(rows, params)


def _public(transaction: Transaction) -> Fields:
    shown: Fields = {"id": transaction.id, "eid": transaction.eid, "amount": str(transaction.amount)}
    expires = None if transaction.expires is None else text_of(transaction.expires)
    dates: Fields = {"created_at": text_of(transaction.created), "expiration_date": expires}
    return {**shown, **dates, "state": transaction.state.value}
