"""The commands of an operator, each as a process: what they print and how they exit."""

import json
import sys
from pathlib import Path
from subprocess import run as run_program

import jsonschema
import pytest
import yaml

import gateway
from tests.e2e.process import config_file, run

ROOT = Path(gateway.__file__).parents[1]


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("gateway")
    printed = run_program([script, "version"], capture_output=True, text=True, check=True).stdout
    assert printed == run("version", directory=tmp_path).out == f"{gateway.__version__}\n"


def test_check_accepts_the_shipped_configuration_without_a_token(tmp_path: Path) -> None:
    shipped = ROOT / "config.yaml"
    ended = run("check", "--config", str(shipped), directory=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == f"{shipped}: ok"


def test_check_names_every_problem_with_its_line_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "listen:\n"
        "  port: 99999\n"
        "upstream:\n"
        "  nonsense: 1\n"
        "  timeouts: {total: 5}\n"
        "token: my-literal-token\n"
        "methods:\n"
        "  brand/new: {ttl: 5s}\n"
    )
    ended = run("check", directory=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    problems = sorted(line.split(": ", 1) for line in ended.err.splitlines())
    assert [place for place, _ in problems] == [
        "config.yaml:2 listen.port",
        "config.yaml:4 upstream.nonsense",
        "config.yaml:5 upstream.timeouts.total",
        "config.yaml:6 token",
        "config.yaml:8 methods.brand/new.effect",
    ]
    assert all(text for _, text in problems)
    assert "my-literal-token" not in ended.err


def test_check_refuses_a_key_that_is_there_twice(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("log: {level: info}\nlog: {level: debug}\n")
    ended = run("check", directory=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith("config.yaml:2 log: ")


def test_check_refuses_an_unknown_name_in_the_environment(tmp_path: Path) -> None:
    config = config_file(tmp_path, {})
    environ = {"GATEWAY_LOG__LEVLE": "info", "GATEWAY_SERVICE_HOST": "10.0.0.1"}
    ended = run("check", "--config", str(config), directory=tmp_path, environ=environ)
    assert ended.code == 1
    assert "GATEWAY_LOG__LEVLE" in ended.err
    assert "GATEWAY_SERVICE_HOST" not in ended.err


def test_check_says_what_is_right_and_risky(tmp_path: Path) -> None:
    config = config_file(tmp_path, {"upstream": {"tls": {"verify": False}}})
    ended = run("check", "--config", str(config), directory=tmp_path)
    assert ended.code == 0
    assert f"{config}:3 upstream.tls.verify: is off: " in ended.out


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_configuration_that_is_not_there_is_one_plain_line(tmp_path: Path, command: str) -> None:
    ended = run(command, directory=tmp_path)
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "config.yaml" in ended.err


def test_schema_is_a_json_schema_that_takes_the_shipped_configuration(tmp_path: Path) -> None:
    ended = run("schema", directory=tmp_path)
    assert ended.code == 0
    schema = json.loads(ended.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(yaml.safe_load((ROOT / "config.yaml").read_text()))
    assert not validator.is_valid({"upstream": {"nonsense": 1}})
    assert not validator.is_valid({"token": "a literal"})


def test_the_schema_for_editors_is_the_one_that_is_printed(tmp_path: Path) -> None:
    shipped = (ROOT / "config.schema.json").read_text()
    assert json.loads(shipped) == json.loads(run("schema", directory=tmp_path).out)


def test_explain_says_how_an_xml_call_would_be_treated_and_sends_nothing(tmp_path: Path) -> None:
    config = config_file(tmp_path, {"upstream": {"base_url": "http://127.0.0.1:9/api/v1.1"}})
    (tmp_path / "body.xml").write_text("<xml><token>theirs</token><db_id>7</db_id><email>007</email></xml>")
    options = "--body", "body.xml", "--content-type", "application/xml", "--config", str(config)
    ended = run("explain", "profiles/get", *options, directory=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    report = json.loads(ended.out)
    assert set(report) >= {
        "method",
        "rule",
        "format",
        "fingerprint",
        "cache",
        "flight",
        "tags",
        "token",
        "url",
        "headers",
        "body",
    }
    assert report["url"] == "http://127.0.0.1:9/api/v1.1/profiles/get/"
    assert json.loads(report["body"]) == {"token": "***", "db_id": 7, "email": "007"}
    assert (report["format"]["request"], report["format"]["upstream"]) == ("xml", "json")
    assert "db:7" in report["tags"]


def test_explain_gives_equal_calls_in_xml_and_json_one_fingerprint(tmp_path: Path) -> None:
    config = config_file(tmp_path, {})
    (tmp_path / "a.json").write_text('{"email": "a@example.com", "db_id": 7}')
    (tmp_path / "b.xml").write_text("<xml><db_id>7</db_id><email>a@example.com</email></xml>")
    told = []
    for name, kind in (("a.json", "application/json"), ("b.xml", "application/xml")):
        options = "--body", name, "--content-type", kind, "--config", str(config)
        told.append(run("explain", "profiles/get", *options, directory=tmp_path))
    first, second = (json.loads(ended.out)["fingerprint"] for ended in told)
    assert first == second


def test_explain_of_a_call_that_would_be_refused_says_why(tmp_path: Path) -> None:
    config = config_file(tmp_path, {})
    ended = run("explain", "../databases/get", "--config", str(config), directory=tmp_path)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert ended.err.startswith("gateway: a method name is made of")


def test_an_unknown_command_exits_with_1(tmp_path: Path) -> None:
    ended = run("nonsense", directory=tmp_path)
    assert ended.code == 1
    assert "nonsense" in ended.err
    assert "Traceback" not in ended.err


def test_a_port_that_is_none_is_refused_in_a_line(tmp_path: Path) -> None:
    ended = run("demo", "--port", "99999", directory=tmp_path)
    assert ended.code == 1
    assert "99999 is not in the range 0<=x<=65535" in ended.err
    assert "Traceback" not in ended.err


def test_the_version_is_told_as_other_programs_do(tmp_path: Path) -> None:
    assert run("--version", directory=tmp_path).out == run("version", directory=tmp_path).out


def test_the_help_says_what_each_command_does_to_the_end(tmp_path: Path) -> None:
    ended = run("--help", directory=tmp_path)
    assert ended.code == 0
    assert "..." not in ended.out.partition("Commands:")[2]
