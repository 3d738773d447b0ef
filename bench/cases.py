"""The calls that are measured, a line each, and what the platform answers.

A body is a template that takes the call's number, so that calls which are in flight together are different
calls: equal ones could be joined, and a joined call costs less than one that goes out.
"""

from dataclasses import dataclass

TOKEN = "0123456789abcdef0123456789abcdef"
PATH = "/api/v1.1/profiles/import"
PROFILE_ID = "a3f1c7d2-5b60-4e7e-9a44-0c2f5d81b6e9"

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


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of call, and how many callers send it at a time, each on a connection of its own."""

    name: str
    content_type: str
    body: bytes  # a template: `body % number`
    callers: int = 32


JSON_WRITE = Case("forwarded JSON write", "application/json", _JSON)
XML_WRITE = Case("forwarded XML write", "application/xml", _XML)

CASES = (JSON_WRITE, XML_WRITE)
