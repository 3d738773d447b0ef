"""The table of methods, against what the documentation says of them."""

import ast
from pathlib import Path

import gateway.sandbox
from gateway.sandbox.methods import METHODS
from gateway.sandbox.tokens import Right

# The methods that the platform's page on deduplication names (the readable part of its list).
WITH_CHECKSUM = {
    "profiles/add",
    "profiles/add_batch",
    "profiles/update",
    "profiles/update_batch",
    "profiles/import",
    "profiles/import_batch",
    "suppresses/add",
}
READING_ENDS = ("get", "list", "list_all", "get_status", "get_counters", "fields_get", "export_all", "status")


def test_the_documented_methods_have_a_checksum() -> None:
    assert {method.name for method in METHODS.values() if method.has_checksum} == WITH_CHECKSUM


def test_what_has_a_checksum_modifies() -> None:
    assert all(METHODS[name].modifies for name in WITH_CHECKSUM)


def test_methods_that_are_named_for_reading_do_not_modify() -> None:
    reads = [method for name, method in METHODS.items() if name.rsplit("/")[-1] in READING_ENDS]
    assert len(reads) > 20
    assert [method.name for method in reads if method.modifies] == []


def test_what_changes_objects_needs_more_than_the_right_to_read() -> None:
    """An export or a recount is a task, and changes nothing that the token could not read."""
    tasks = {"profiles/get_all", *(name for name in METHODS if name.endswith("/refresh_counters"))}
    only_read = {name for name, method in METHODS.items() if method.modifies and method.right is Right.READ}
    assert only_read == tasks


def test_names_are_written_without_slashes_around_them() -> None:
    assert [name for name in METHODS if name.strip("/") != name or "//" in name] == []


def test_the_sandbox_shares_no_code_with_the_gateway() -> None:
    """It is an oracle for the gateway's codec only while it is independent of it."""
    package = Path(gateway.sandbox.__file__).parent
    imported = {
        name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _modules(node)
    }
    ours = {name for name in imported if name.split(".")[0] == "gateway"}
    assert len(ours) > 20
    assert {name for name in ours if not name.startswith("gateway.sandbox")} == set()


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
