"""The gateway's XML and the sandbox's, which share no code, mean the same: 200 documents in three directions.

Each document is of a method of the catalogue, with texts, numbers and structures that XML makes hard. The
places where the two differ on purpose are tested below; docs/reference/sandbox.md lists them.
"""

import asyncio
import json
from typing import Any

import pytest

from gateway.catalogue import loading
from gateway.catalogue.model import ApiMethod
from gateway.catalogue.shape import ANY, OBJECT, Kind, Shape
from gateway.codec import jsonbody, reply, xmlbody
from gateway.codec.body import BodyLimits, MalformedBodyError
from gateway.sandbox import jsonform, xmlform
from gateway.sandbox.calls import Incoming
from gateway.sandbox.codes import ApiError
from gateway.sandbox.methods import METHODS
from gateway.sandbox.replies import Answer
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.values import (
    Fields,
    as_boolean,
    as_integer,
    as_list,
    as_number,
    as_object,
    as_text,
    is_empty,
)
from tests.e2e.documents import LEAVES, Documents, Writer, spelt, told

LIMITS = BodyLimits(depth=64, elements=100_000)
ENVELOPE = {"error": Shape(Kind.INTEGER), "error_text": Shape(Kind.STRING)}
METHODS_IN_TURN = [*loading.load(), *loading.load()][:200]
EACH_DOCUMENT = pytest.mark.parametrize(
    ("seed", "method"),
    list(enumerate(METHODS_IN_TURN)),
    ids=[f"{seed} {method.name}" for seed, method in enumerate(METHODS_IN_TURN)],
)


@EACH_DOCUMENT
def test_a_call_that_the_gateway_writes_is_read_as_it_was_in_json(seed: int, method: ApiMethod) -> None:
    document = Documents(seed).of(method.parameters)
    in_json = json.dumps(document).encode()

    read = xmlform.decode(xmlbody.encode(jsonbody.decode(in_json, LIMITS), method.parameters))

    assert read == told(document, ANY, marks=True)
    assert meant(read, method.parameters) == meant(jsonform.decode(in_json), method.parameters)


@EACH_DOCUMENT
def test_a_reply_that_the_sandbox_writes_is_read_as_it_is_in_json(seed: int, method: ApiMethod) -> None:
    document = {"error": 0, "error_text": "Successful operation", **Documents(seed).of(method.reply)}
    wrapped = {name for name, shape in method.reply.fields.items() if shape.wrapped}
    simulated = METHODS.get(method.name)
    root, nested = (simulated.xml_root, simulated.nested) if simulated else ("xml", frozenset(wrapped))

    read = reply.to_json(xmlform.encode(document, root, nested), method.reply, LIMITS)

    shape = Shape(Kind.OBJECT, {**method.reply.fields, **ENVELOPE})
    in_json = json.loads(jsonform.encode(document))
    assert json.loads(read) == told(in_json, shape, marks=False)


@pytest.mark.parametrize("marks", [True, False], ids=["marked", "unmarked"])
@EACH_DOCUMENT
def test_a_call_that_a_user_writes_is_read_by_both(seed: int, method: ApiMethod, marks: bool) -> None:
    document = Documents(seed).of(method.parameters)
    written = Writer(seed).write(document, marks=marks)

    by_gateway = json.loads(jsonbody.encode(xmlbody.decode(written, method.parameters, LIMITS)))
    by_sandbox = xmlform.decode(written)

    assert by_gateway == told(document, method.parameters, marks=marks)
    assert by_sandbox == told(document, ANY, marks=marks)
    assert meant(by_gateway, method.parameters) == meant(by_sandbox, method.parameters)


def meant(value: Any, shape: Shape) -> Any:
    """How the platform takes a parameter, whatever it came as: by the sandbox's own reading of each type."""
    match shape.kind:
        case Kind.LIST if isinstance(value, dict) and shape.items.kind in LEAVES:
            return meant(value, ANY)
        case Kind.LIST:
            return [meant(item, shape.items) for item in as_list(value)]
        case Kind.OBJECT:
            return {name: meant(inner, shape.field(name)) for name, inner in as_object(value, "").items()}
        case Kind.INTEGER:
            return None if is_empty(value) else as_integer(value, "")
        case Kind.NUMBER:
            return None if is_empty(value) else as_number(value, "")
        case Kind.BOOLEAN:
            return None if is_empty(value) else as_boolean(value, "")
    if isinstance(value, dict) and value:
        return {name: meant(inner, ANY) for name, inner in value.items()}
    if isinstance(value, list) and value:
        return [meant(item, ANY) for item in value]
    return "" if is_empty(value) or value in ([], {}) else spelt(as_text(value, ""))


CUSTOMER = {"matching": "email", "email": "customer1@example.com"}
REAL = [
    pytest.param("profiles/get", {"db_id": 1, **CUSTOMER}, id="an object with lists of one"),
    pytest.param("profiles/list", {"db_id": 1, "limit": 2}, id="a page"),
    pytest.param("databases/list", {}, id="empty lists and null"),
    pytest.param("databases/get_counters", {"id": 1, "resource_id": 1}, id="numbers in objects in a list"),
    pytest.param("resources/get", {"id": 2}, id="a list of one number that no page types"),
    pytest.param("segments/list", {}, id="objects of several kinds"),
    pytest.param("templates/get", {"id": 1}, id="free content"),
    pytest.param("suppresses/add", {"name": "New"}, id="another root"),
    pytest.param(
        "profiles/add_batch", {"db_id": 2, "data": [{"email": "a@example.com"}]}, id="a batch of one"
    ),
    pytest.param(
        "profiles/import_batch",
        {"db_id": 1, "data": [CUSTOMER, {"email": "twin@example.com"}]},
        id="a batch with a failure",
    ),
    pytest.param("profiles/update_batch", {"db_id": 1, "data": []}, id="400: an empty batch"),
    pytest.param("campaigns/triggers/start_batch", {"trigger_id": 1, "data": [CUSTOMER]}, id="one id"),
    pytest.param("subscribers/history_get", {"list_id": 1, **CUSTOMER}, id="an empty list"),
    pytest.param("file_download", {}, id="501"),
]


@pytest.mark.parametrize(("api_method", "params"), REAL)
def test_a_reply_of_the_sandbox_says_the_same_in_both_formats(
    api_method: str, params: dict[str, Any]
) -> None:
    known = loading.load().find(api_method)
    shape = known.reply if known else OBJECT
    in_json, in_xml = (answer(api_method, params, wanted) for wanted in ("json", "xml"))
    expected = told(json.loads(in_json), Shape(Kind.OBJECT, {**shape.fields, **ENVELOPE}), marks=False)
    assert json.loads(reply.to_json(in_xml, shape, LIMITS)) == expected


def answer(api_method: str, params: dict[str, Any], wanted: str) -> bytes:
    """What a new sandbox answers: two of them give the same ids."""
    incoming = Incoming(
        api_method=api_method,
        target=b"/",
        query=(("format", wanted),),
        headers=(("content-type", "application/json"),),
        body=json.dumps({"token": "sandbox", **params}).encode(),
        origin="http://x",
    )
    answered = asyncio.run(Sandbox(clock=lambda: 1_700_000_000.0).call(incoming))
    assert isinstance(answered, Answer)
    return answered.body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("<xml><a></xml>", id="not well-formed"),
        pytest.param("<xml>text</xml>", id="text instead of parameters"),
        pytest.param("<xml><a>text<b/></a></xml>", id="text beside elements"),
        pytest.param("<xml><a>\xa0<b/></a></xml>", id="a no-break space beside elements"),
        pytest.param("<xml><a type='int'>1</a></xml>", id="an attribute"),
        pytest.param("<xml><a array='false'>1</a></xml>", id="a mark that says no"),
        pytest.param("<xml lang='en'/>", id="an attribute of the root"),
        pytest.param("<xml xmlns='urn:x'><a/></xml>", id="a namespace"),
        pytest.param("<xml><p:a xmlns:p='urn:x'/></xml>", id="a prefix"),
        pytest.param("<!DOCTYPE xml><xml/>", id="a DOCTYPE"),
        pytest.param("<xml><a>&nbsp;</a></xml>", id="an entity of HTML"),
        pytest.param("<xml><a>&#0;</a></xml>", id="a character that is none"),
        pytest.param("<?xml version='1.1'?><xml/>", id="XML 1.1"),
        pytest.param("<?xml version='1.0' encoding='koi8-r'?><xml/>", id="another encoding"),
    ],
)
def test_what_one_refuses_the_other_refuses(body: str) -> None:
    assert (by_gateway(body), by_sandbox(body)) == (None, None)


@pytest.mark.parametrize(
    ("body", "gateway", "sandbox"),
    [
        pytest.param(
            "<xml><own><xml>1</xml></own></xml>",
            {"own": {"xml": "1"}},
            {"own": ["1"]},
            id="nested items that the catalogue does not mark",
        ),
        pytest.param(
            "<xml><entry key='$or'>1</entry></xml>", {"$or": "1"}, None, id="a name that XML cannot carry"
        ),
        pytest.param("<request><id>1</id></request>", {"id": 1}, None, id="another root"),
        pytest.param("<xml><list> </list></xml>", {"list": []}, {"list": " "}, id="blanks for an empty list"),
        pytest.param(
            "<xml><object>\n</object></xml>",
            {"object": None},
            {"object": "\n"},
            id="blanks for an empty object",
        ),
    ],
)
def test_where_they_differ_on_purpose(
    body: str, gateway: dict[str, Any], sandbox: dict[str, Any] | None
) -> None:
    assert (by_gateway(body), by_sandbox(body)) == (gateway, sandbox)


@pytest.mark.parametrize("name", ["$or", "+7900", "1st", "a b", "xml"])
def test_a_name_that_xml_cannot_carry_is_written_by_the_gateway_only(name: str) -> None:
    """The platform's shape has no such names; the gateway's way to write them is for callers, who read it."""
    document: Fields = {"error": 0, "own": {name: "1"}}
    in_xml = reply.to_xml(json.dumps(document).encode(), OBJECT)
    assert json.loads(reply.to_json(in_xml, OBJECT, LIMITS)) == document
    with pytest.raises(ApiError):
        xmlform.decode(in_xml)
    with pytest.raises(ApiError):
        xmlform.encode(document)


TYPED = Shape(
    Kind.OBJECT,
    {
        "id": Shape(Kind.INTEGER),
        "list": Shape(Kind.LIST, item=Shape(Kind.STRING)),
        "object": OBJECT,
    },
)


def by_gateway(body: str) -> Any:
    try:
        return json.loads(jsonbody.encode(xmlbody.decode(body.encode(), TYPED, LIMITS)))
    except MalformedBodyError:
        return None


def by_sandbox(body: str) -> Any:
    try:
        return xmlform.decode(body.encode())
    except ApiError as error:
        return None if error.code == 400 else error.code
