"""The calls that are measured, a line each, and what the platform answers.

A body is a template that takes the call's number, so that calls which are in flight together are different
calls: equal ones could be joined, and a joined call costs less than one that goes out. Where joining or the
cache is what is measured, there are few bodies or only one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "/api/v1.1/"
PROFILE_ID = "a3f1c7d2-5b60-4e7e-9a44-0c2f5d81b6e9"
IDS = 4096  # distinct bodies of a case, many more than callers

REPLY = (
    '{"error":0,"error_text":"Successful operation","profile_id":"' + PROFILE_ID + '",'
    '"result":"updated","db_id":7,"matching":"email","revision":"18446744073709551617",'
    '"changed":["_fname","_lname","_city","_language"],"created":"2026-01-31 09:30:00",'
    '"updated":"2026-02-01 10:11:12","warnings":[],"segments":[1001,1002,1003]}'
).encode()

_JSON = (
    b'{"db_id":7,"matching":"email","email":"caller%06d@example.com","detect_geo":false,'
    b'"data":{"_fname":"Jim","_lname":"O\'Neill-Oldham","_city":"Newcastle upon Tyne",'
    b'"_language":"en","note":"prefers mail on weekdays before noon, no calls"}}'
)
_XML = (
    b"<xml><db_id>7</db_id><matching>email</matching><email>caller%06d@example.com</email>"
    b"<detect_geo>false</detect_geo><data><_fname>Jim</_fname><_lname>O'Neill-Oldham</_lname>"
    b"<_city>Newcastle upon Tyne</_city><_language>en</_language>"
    b"<note>prefers mail on weekdays before noon, no calls</note></data></xml>"
)
_READ = b'{"db_id":8,"matching":"email","email":"caller%06d@example.com"}'
_ITEM = (
    b'{"email":"someone%06d@example.com","data":{"_fname":"Jim","_lname":"O\'Neill-Oldham",'
    b'"_city":"Newcastle upon Tyne","_language":"en","note":"prefers mail on weekdays before noon"}}'
)
_BATCH = b'{"db_id":7,"matching":"email","detect_geo":false,"data":[' + b",".join([_ITEM] * 425) + b"]}"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of call, and how many callers send it at a time, each on a connection of its own."""

    name: str
    content_type: str
    body: bytes  # a template: `made(number)`
    api_method: str = "profiles/import"
    callers: int = 32
    bodies: int = IDS  # how many different ones are sent
    idle: int = 0  # connections beside the callers' that sent one call each and then wait
    tls: bool = False  # between peer and platform
    kept: bool = False  # answered without the platform once it was asked

    @property
    def path(self) -> str:
        return BASE + self.api_method

    def made(self, number: int) -> bytes:
        """The body of a call."""
        return self.body.replace(b"%06d", b"%06d" % (number % self.bodies))


_TYPE = "application/json"
JSON_WRITE = Case("forwarded JSON write", _TYPE, _JSON)
XML_WRITE = Case("forwarded XML write", "application/xml", _XML)
ONE_CALLER = Case("JSON write, one caller", _TYPE, _JSON, callers=1)
CACHED_READ = Case("cached read", _TYPE, _READ, "profiles/get", bodies=64, kept=True)
COALESCED_READ = Case("read of one thing by 100 callers, not cached", _TYPE, _READ, "profiles/list", 100, 1)
JOINED_WRITE = Case("one write by 100 callers", _TYPE, _JSON, callers=100, bodies=1)
BATCH = Case("77 KB batch write", _TYPE, _BATCH, "profiles/import_batch", bodies=64)
IDLE = Case("JSON write by 64 callers beside 1000 idle connections", _TYPE, _JSON, callers=64, idle=1000)
TLS_WRITE = Case("JSON write, TLS to the platform", _TYPE, _JSON, tls=True)

CASES = (
    JSON_WRITE,
    ONE_CALLER,
    XML_WRITE,
    CACHED_READ,
    COALESCED_READ,
    JOINED_WRITE,
    BATCH,
    IDLE,
    TLS_WRITE,
)


EXPECTED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {case.path: json.loads(case.made(0)) for case in CASES if case.content_type == _TYPE}
)
"""By path: what the platform is to be sent for it, with the number 0 and without the token."""
