"""Values that many tests need, made in one line."""

import msgspec

from gateway.call import Call, Request, Trail
from gateway.catalogue.model import ApiMethod, Effect
from gateway.codec import jsonbody
from gateway.codec.body import BodyLimits, Fields
from gateway.codec.fingerprint import fingerprint
from gateway.codec.negotiation import Format
from gateway.intake import Intake
from gateway.offload import Offload
from gateway.policy.freshness import CacheControl
from gateway.routing import Target

WRITE = ApiMethod("profiles/import", Effect.MODIFY)
OFFLOAD = Offload()
"""Of all tests: whatever it has started is ended with them (see conftest)."""

INTAKE = Intake(BodyLimits(depth=64, elements=1000), Format.JSON, OFFLOAD)
READ = ApiMethod("profiles/get", Effect.READ, path="profiles/get/")


def fields(**values: object) -> Fields:
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in values.items()}


def request(
    method: ApiMethod = WRITE,
    content: Fields | None = None,
    *,
    query: bytes = b"",
    reply_format: Format = Format.JSON,
    untouched: bool = False,
) -> Request:
    content = fields(db_id=1) if content is None else content
    return Request(
        account="default",
        method=method,
        fields=content,
        body=(body := jsonbody.encode(content)),
        fingerprint=fingerprint("default", method.name, query, body, method.parameters),
        query=query,
        format=Format.JSON,
        reply_format=reply_format,
        untouched=untouched,
        key=None,
        cache_control=CacheControl(),
        size=0,
    )


def call(body: bytes, method: ApiMethod = WRITE, *, query: bytes = b"", **headers: bytes) -> Call:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    target = Target("default", method, method.name)
    return Call(INTAKE.head(target, query, named, None, INTAKE.reply_format(named, query)), body)


def trail() -> Trail:
    return Trail(time=0.0, started=0.0, request_id="id")


class Unconnected:
    """The connection of an exchange whose caller is nowhere: keeps what is written, and says what was asked
    of it."""

    local_address: str | None = "127.0.0.1"

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.asked: list[str] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")

    def common_fields(self) -> bytes:
        return b"date: today\r\n"

    def hand_out(self, *parts: bytes) -> None:
        self.written += parts
        self.asked.append("answered")
