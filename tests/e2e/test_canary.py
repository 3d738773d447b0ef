"""The token shows up nowhere: canaries whose characters need escaping in every format go through everything
that the gateway says, while the platform echoes them and callers guess them.

They are looked for by their letters, which every encoding but base64 leaves as they are, and by their base64
forms.
"""

import base64
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import Token, sample_tokens
from tests.e2e.caller import JSON, XML, Caller, Reply
from tests.e2e.conftest import settings_for
from tests.e2e.process import config_file, run, serving

LETTERS = ("Xanariumbird", "Yellowhammer", "Zebrafinches")
CANARY, *OTHERS = CANARIES = (
    f"c\u00e4n\"ary<&>'\\/ %+{LETTERS[0]}",
    f'\\\\"b]]>%25&amp;\u20ac\U0001f426;=?{LETTERS[1]}\\',
    f"z{{e}}[b]|r^a`~!@#$*()':,.&#60;{LETTERS[2]}",
)
ENVIRON = {"TOKEN": CANARY}


def base64_forms(token: str) -> Iterator[str]:
    """At three positions within base64's groups of three bytes; the edges depend on what stands beside it."""
    for before in range(3):
        form = base64.b64encode(b"\0" * before + token.encode()).decode()[4:-4]
        yield form
        yield form.replace("+", "-").replace("/", "_")


NEEDLES = [*map(str.lower, LETTERS), *(form for token in CANARIES for form in base64_forms(token))]

CALLER_HEADERS = (
    "Request-ID",
    "Idempotency-Key",
    "Accept",
    "Authorization",
    "Content-Encoding",
    "Origin",
    "Gateway-Caller",
    "traceparent",
)
READ = '{"id": 1}'
WRITE = json.dumps({"db_id": 1, "email": "jim@example.com", "data": {"_fname": "Jim"}})


def assert_hidden(said: str | bytes, where: str) -> None:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    for needle in NEEDLES:
        place = text.lower().find(needle) if needle.islower() else text.find(needle)
        assert place < 0, f"{where}: {text[max(0, place - 60) : place + 60]!r}"


@dataclass
class Session:
    """Calls, with every answer looked through."""

    caller: Caller
    sandbox: Sandbox
    canary: str
    echoes: int = field(default=0)

    def ask(self, method: str, body: str | bytes, *headers: tuple[str, str], **more: Any) -> Reply:
        reply = self.caller.call(method, body, *headers, **more)
        assert_hidden(repr(reply.headers), f"headers of {method}")
        assert_hidden(reply.body, f"body of {method}")
        return reply

    def struck(self, kind: Kind, method: str, body: str, *headers: tuple[str, str], **more: Any) -> Reply:
        self.sandbox.faults.add(Fault(kind, method))
        self.echoes += kind is Kind.ECHO
        return self.ask(method, body, *headers, **more)


@pytest.fixture
def canary(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", CANARY))


@pytest.fixture
def sandbox(canary: str) -> Sandbox:
    return Sandbox(sample_tokens(canary))


@pytest.fixture
def base_url(sandbox: Sandbox) -> Iterator[str]:
    with running_in_thread(sandbox) as url:
        yield url


@pytest.mark.parametrize("spoken", ["json", "xml"])
@pytest.mark.parametrize(
    ("log", "placement", "canary"),
    [("json", "body", CANARIES[0]), ("text", "query", CANARIES[1]), ("json", "header", CANARIES[2])],
    indirect=["canary"],
)
def test_the_token_appears_in_nothing_that_a_serving_gateway_says(
    tmp_path: Path, base_url: str, sandbox: Sandbox, log: str, placement: str, canary: str, spoken: str
) -> None:
    settings = settings_for(
        base_url,
        upstream={"format": spoken, "timeouts": {"first_byte": "2s"}},
        token_placement=placement,
        log={"format": log, "level": "debug"},
    )
    with serving(tmp_path, settings, {"TOKEN": canary}) as gateway:
        session = Session(gateway.caller, sandbox, canary)
        plain_calls(session)
        echoes(session)
        callers_that_know_it(session)
        failures(session)
        masked = look_at_control_plane(gateway.caller)
        assert gateway.stop(signal.SIGTERM) == 0
    assert masked >= session.echoes > 0
    assert gateway.log.count("databases/get") > 10
    assert_hidden(gateway.log, "the log")
    assert_hidden(gateway.stderr.read_text(), "stderr")


def test_a_token_that_could_be_a_name_is_masked_where_names_are_shown(
    tmp_path: Path, base_url: str, sandbox: Sandbox
) -> None:
    word = f"{LETTERS[0]}-1234567"
    sandbox.tokens.add(Token("word", word))
    settings = settings_for(base_url, method_policy={"unknown": "reject"})
    with serving(tmp_path, settings, {"TOKEN": word}) as gateway:
        refused = gateway.caller.json(word, id=1)
        echoed = gateway.caller.json("databases/get", ("Request-ID", word), ("Gateway-Caller", word), id=1)
        page = gateway.caller.get("/metrics")
        assert gateway.stop(signal.SIGTERM) == 0
    assert (refused.error, echoed.error) == (501, 0)
    assert refused.error_text == "gateway: the method *** is not in the catalogue"
    assert_hidden(page.body, "/metrics")
    # The refused call's name and its error text, and the other call's id.
    assert gateway.log.count("***") == 3
    assert_hidden(gateway.log, "the log")


def plain_calls(session: Session) -> None:
    assert session.ask("databases/get", READ).error == 0
    assert session.ask("profiles/import", WRITE, ("Accept", XML)).error == 0
    (call,) = session.sandbox.calls.executed("profiles/import")
    assert call.token == "full-1"


def echoes(session: Session) -> None:
    """The platform shows the token in a reply, handed on as it is and converted, also to a repeat."""
    for accept in (JSON, XML):
        for method, body in (("databases/get", READ), ("profiles/import", WRITE)):
            echoed = session.struck(Kind.ECHO, method, body, ("Accept", accept))
            assert echoed.error == 0
            assert "***" in echoed.error_text
    for _ in range(2):
        session.ask("profiles/import", WRITE, ("Request-ID", "the-same"))


def callers_that_know_it(session: Session) -> None:
    """Callers send it where it may end up in an error text, a header or the log."""
    caller = session.caller
    session.ask(
        "databases/get", json.dumps({"token": session.canary, "id": session.canary}, ensure_ascii=False)
    )
    session.ask("databases/get", json.dumps({"token": session.canary, session.canary: 1})[:-1])
    session.ask("databases/get", f"<xml><token>{escape(session.canary)}</token><b></xml>", content_type=XML)
    session.ask("databases/get", f"<xml><id>{escape(session.canary)}</id></xml>", content_type=XML)
    for header in CALLER_HEADERS:
        session.ask("databases/get", READ, (header, session.canary.encode().decode("latin-1")))
    for target in ("databases/get?a=", "?token=", "", "brand/"):
        reply = caller.send(
            "POST", caller.base_path + target + quoted(session.canary), READ, ("Content-Type", JSON)
        )
        assert_hidden(repr(reply), target)


def quoted(token: str) -> str:
    letters = "".join(LETTERS)
    return "".join(f"%{byte:02X}" if chr(byte) not in letters else chr(byte) for byte in token.encode())


def failures(session: Session) -> None:
    for kind in (Kind.HTML, Kind.GARBAGE, Kind.RESET, Kind.TOO_SHORT, Kind.TOO_LONG, Kind.STALL, Kind.ERROR):
        for accept in (JSON, XML):
            assert session.struck(kind, "databases/get", READ, ("Accept", accept)).error >= 500
    session.sandbox.tokens.revoke(session.canary)
    assert session.ask("databases/get", READ).error == 401
    session.sandbox.tokens.add(sample_tokens(session.canary)[0])


def look_at_control_plane(caller: Caller) -> float:
    """Everything that can be looked at; how many tokens were masked in replies."""
    for path in (
        "/livez",
        "/readyz?verbose",
        "/elsewhere",
        "/api/download/data/gone",
        "/-/",
        "/-/status.json",
    ):
        reply = caller.get(path)
        assert_hidden(repr(reply), path)
    page = caller.get("/metrics").body.decode()
    assert_hidden(page, "/metrics")
    counted = [
        line for line in page.splitlines() if line.startswith('gateway_redactions_total{sink="reply"}')
    ]
    return float(counted[0].split()[-1])


def test_explain_masks_the_token(tmp_path: Path) -> None:
    config = config_file(tmp_path, settings_for("http://127.0.0.1:9/api/v1.1", token_placement="body"))
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"token": CANARY, "id": 1}))
    options = "--body", str(body), "--config", str(config)
    ended = run("explain", "databases/get", *options, directory=tmp_path, environ=ENVIRON)
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(json.loads(ended.out)["body"]) == {"token": "***", "id": 1}
    assert_hidden(ended.out, "explain")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(CANARY, id="in place of a source"),
        pytest.param({"env": CANARY}, id="as a variable's name"),
        pytest.param({"value": CANARY}, id="under an invented key"),
        pytest.param({"env": "TOKEN", "literal": CANARY}, id="beside a source"),
        pytest.param({CANARY: "env"}, id="as a key"),
    ],
)
def test_a_token_written_into_the_configuration_is_refused_and_not_repeated(
    tmp_path: Path, token: object
) -> None:
    config = config_file(tmp_path, settings_for("http://127.0.0.1:9/api/v1.1", token=token))
    ended = run("check", "--config", str(config), directory=tmp_path, environ=ENVIRON)
    assert ended.code == 1
    assert f"{config}:" in ended.err
    assert_hidden(ended.out + ended.err, "check")


@pytest.mark.parametrize("value", [f"{LETTERS[0]}\x07 bell", f"{LETTERS[0]}\n second line"])
def test_a_token_that_cannot_be_used_is_not_shown(tmp_path: Path, value: str) -> None:
    config = config_file(tmp_path, settings_for("http://127.0.0.1:9/api/v1.1"))
    ended = run("serve", "--config", str(config), directory=tmp_path, environ={"TOKEN": value})
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert_hidden(ended.out + ended.err, "serve")
