"""The platform's response codes, and the exception by which a handler answers with one."""

from enum import IntEnum


class Code(IntEnum):
    """The value of `error` in a reply (platform documentation, "Response codes")."""

    OK = 0
    INCORRECT_REQUEST = 400
    TOKEN_REQUIRED = 401
    TARIFF_LIMIT = 402
    NO_RIGHTS = 403
    NOT_FOUND = 404
    DUPLICATE = 409
    DATABASE_NOT_IN_RESOURCE = 413
    CONTENT_TYPE = 415
    AMBIGUOUS = 435
    OTHER_GROUP = 441
    VALIDATION = 450
    INTERNAL = 500
    NO_METHOD = 501


TEXTS = {
    Code.OK: "Successful operation",
    Code.INCORRECT_REQUEST: "Incorrect request",
    Code.TOKEN_REQUIRED: "API token required",
    Code.TARIFF_LIMIT: "Tariff limit reached",
    Code.NO_RIGHTS: "No rights for this action",
    Code.NOT_FOUND: "The object is not found in the token vision zone",
    Code.DUPLICATE: "Another record with the same unique attributes already exists",
    Code.DATABASE_NOT_IN_RESOURCE: "The database is not available in the selected resource",
    Code.CONTENT_TYPE: "Requested Content-Type is not supported",
    Code.AMBIGUOUS: "Ambiguous search, there are several objects with given attributes",
    Code.OTHER_GROUP: "The object belongs to another group",
    Code.VALIDATION: "Request validation error",
    Code.INTERNAL: "Internal service error",
    Code.NO_METHOD: "The method does not exist",
}


class ApiError(Exception):
    """Ends a call, or one item of a batch, with `code`. `detail` follows the platform's own sentence."""

    def __init__(self, code: Code, detail: str = "") -> None:
        self.code = code
        self.text = f"{TEXTS[code]}: {detail}" if detail else TEXTS[code]
        super().__init__(self.text)
