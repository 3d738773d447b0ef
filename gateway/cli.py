"""The commands. The only place that prints to a terminal or exits.

Exit codes: 0 all is well, 1 refused (one plain line says why), 130 interrupted.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, BinaryIO, NoReturn, TypeVar

import click
import uvloop

from gateway import __version__
from gateway.errors import GatewayError, SettingsError
from gateway.terminal import Terminal

T = TypeVar("T")

_config_option = click.option(
    "--config", "config", metavar="FILE", help="The configuration; else $GATEWAY_CONFIG, else ./config.yaml."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def commands() -> None:
    """A local gateway in front of the platform's API.

    Applications call it without a token, exactly as they would call the platform; only their base URL
    changes. Try it: gateway demo
    """


@commands.command()
@_config_option
def serve(config: str | None) -> None:
    """Run the gateway."""
    from gateway.commands import serving

    terminal = Terminal.of(sys.stderr, os.environ)
    _exit_after(_run(serving.serve(config, os.environ, _unbuffered(1), terminal, _tell)))


@commands.command(short_help="Say everything that is wrong with the configuration.")
@_config_option
def check(config: str | None) -> None:
    """Say everything that is wrong with the configuration; changes and sends nothing."""
    from gateway.commands.examining import examine
    from gateway.settings.loading import find, read
    from gateway.settings.notices import notices

    path = find(config, os.environ)
    configuration = read(path, os.environ)
    examine(configuration, os.environ)
    for notice in notices(configuration):
        click.echo(str(notice))
    click.echo(f"{path}: ok")


@commands.command(short_help="Run a gateway in front of a sandbox, and print calls to try.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where the gateway listens; 0 is any free port.",
)
def demo(port: int) -> None:
    """Run a gateway in front of a sandbox, with a throw-away token, and print calls to try.

    Ctrl-C ends it, and the exit code is 0: that is no failure.
    """
    from gateway.commands import demonstration

    terminal = Terminal.of(sys.stdout, os.environ)
    _run(demonstration.demo(port, _unbuffered(2), os.environ, terminal, click.echo))


@commands.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the sandbox listens.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9000,
    show_default=True,
    help="Its port; 0 is any free one.",
)
@click.option(
    "--token", "tokens", multiple=True, metavar="T", help="A token with all rights; repeatable. [sandbox]"
)
@click.option("--latency", default=0, metavar="MS", help="Milliseconds that every answer takes.")
@click.option("--seed", default=0, metavar="N", help="Other people in the sample data; the same N, the same.")
def sandbox(host: str, port: int, tokens: tuple[str, ...], latency: int, seed: int) -> None:
    """Run a stand-in for the platform, to test against.

    It answers the platform's calls in JSON and XML, keeps what you write in memory, runs a repeat with the
    same Request-ID once, fails when asked to, and sends nothing to anybody. Ctrl-C ends it, and all it kept
    is gone.

    \b
    A call:
      curl http://127.0.0.1:9000/api/v1.1/profiles/get \\
        -H 'Content-Type: application/json' \\
        -d '{"token": "sandbox", "db_id": 1, "email": "customer1@example.com"}'

    \b
    A gateway in front of it, with PLATFORM_TOKEN=sandbox and this config.yaml:
      upstream: {base_url: "http://127.0.0.1:9000/api/v1.1"}
      token: {env: PLATFORM_TOKEN}

    \b
    What its sample data answers with each code:
      0  databases/get    {"id": 1}
    400  profiles/get     {"db_id": 1}
    401  databases/get    {"id": 1} with the token nobody
    402  profiles/add     {"db_id": 3, "data": {}}
    403  profiles/add     {"db_id": 1, "data": {}} with the token sandbox-reader
    404  databases/get    {"id": 99}
    409  profiles/add     {"db_id": 2, "data": {"email": "member1@example.com"}}
    413  profiles/import  {"db_id": 4, "resource_id": 1, "email": "a@example.com"}
    415  any method, with another Content-Type
    435  profiles/get     {"db_id": 1, "email": "twin@example.com"}
    441  templates/delete {"id": 1} with the token sandbox-partner
    450  profiles/add     {"db_id": 1, "data": {"email": "nonsense"}}
    500  profiles/get     {"db_id": 1, "email": "broken@example.com"}
    501  no/such/method   {}

    \b
    Let the next profiles/import run but lose its answer; look; start over:
      curl http://127.0.0.1:9000/-/faults \\
        -d '{"kind": "reset", "api_method": "profiles/import", "when": "after"}'
      curl http://127.0.0.1:9000/-/calls
      curl -X POST http://127.0.0.1:9000/-/reset

    In Python tests, the pytest fixture platform_sandbox is a sandbox of the test's own. More in
    docs/how-to/test-against-the-sandbox.md and docs/reference/sandbox.md.
    """
    from gateway.sandbox import serving

    _run(serving.serve(click.echo, host, port, tokens, latency / 1000, seed))


@commands.command()
@click.argument("method")
@click.option("--body", "body", type=click.File("rb"), help="The body of the call; - is the standard input.")
@click.option(
    "--content-type", default="application/json", show_default=True, help="The body's content type."
)
@_config_option
def explain(method: str, body: Any, content_type: str, config: str | None) -> None:
    """Say how a call would be treated; sends nothing."""
    from gateway.commands import explaining

    content = body.read() if body is not None else b"{}"
    report = asyncio.run(explaining.explain(method, content, content_type, config, os.environ))
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))


@commands.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml."""
    from gateway.settings.schema import schema as of_settings

    click.echo(json.dumps(of_settings(), indent=2))


@commands.command(short_help="Write dashboards for Grafana and rules for Prometheus.")
@click.option("--out", default="grafana", show_default=True, metavar="FOLDER", help="Where the files go.")
@click.option(
    "--runbooks",
    metavar="ADDRESS",
    help="Where alerts link to, with {name} for the page. [docs/runbooks/{name}.md]",
)
def dashboards(out: str, runbooks: str | None) -> None:
    """Write dashboards for Grafana and rules for Prometheus; needs the extra dashboards."""
    from gateway.commands import drawing

    for path in drawing.draw(out, runbooks):
        click.echo(path)


@commands.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


def main() -> NoReturn:
    """Run a command; every refusal ends as plain text on stderr, never as a traceback."""
    try:
        commands.main(prog_name="gateway", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except SettingsError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    except GatewayError as error:
        click.echo(f"gateway: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        click.echo(f"gateway: {error.strerror or error}{place}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    sys.exit(0)


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _exit_after(ended_by: signal.Signals | None) -> None:
    if ended_by is signal.SIGINT:
        sys.exit(130)


def _tell(text: str) -> None:
    """The standard output is the log's."""
    click.echo(text, err=True)


def _unbuffered(descriptor: int) -> BinaryIO:
    """The log's own way out: a buffered stream loses lines when the other end stops reading for a while."""
    return open(descriptor, "wb", buffering=0, closefd=False)
