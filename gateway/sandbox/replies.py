"""What goes back: a reply in the platform's shape, or what a fault makes of it on the wire."""

from dataclasses import dataclass

from gateway.sandbox import csvform, jsonform, xmlform
from gateway.sandbox.codes import TEXTS, ApiError, Code
from gateway.sandbox.values import Fields, as_list

JSON, XML, CSV = "json", "xml", "csv"
_CONTENT_TYPES = {
    JSON: "application/json; charset=utf-8",
    XML: "application/xml; charset=utf-8",
    CSV: "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the platform, not yet written: the same one gives the same bytes each time."""

    fields: Fields
    format: str = JSON
    status: int = 200
    xml_root: str = xmlform.ITEM
    nested: frozenset[str] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def code(self) -> int:
        code = self.fields["error"]
        assert isinstance(code, int)
        return code

    def answer(self) -> "Answer":
        match self.format:
            case "xml":
                body = self._xml()
            case "csv":
                body = csvform.encode([row for row in as_list(self.fields["data"]) if isinstance(row, dict)])
            case _:
                body = jsonform.encode(self.fields)
        return Answer(self.status, (("content-type", _CONTENT_TYPES[self.format]), *self.headers), body)

    def _xml(self) -> bytes:
        try:
            return xmlform.encode(self.fields, self.xml_root, self.nested)
        except ApiError as error:
            return xmlform.encode(failure(error))


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes written as they are, whatever they are; then the connection is closed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is cut with a TCP RST, without a byte of an answer."""


Outcome = Answer | Raw | Reset


def success(fields: Fields) -> Fields:
    return {"error": Code.OK.value, "error_text": TEXTS[Code.OK], **fields}


def failure(error: ApiError) -> Fields:
    return {"error": error.code.value, "error_text": error.text}
