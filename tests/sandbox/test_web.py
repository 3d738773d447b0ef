"""Paths and HTTP methods, asked through ASGI without a server."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.web import application

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(sandbox))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as opened:
        yield opened


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1.1/databases/get",
        "/api/v1.1/databases/get/",
        "/api/v1.1//databases/get",
        "/api/v1.1/databases//get//",
        "/some/prefix/api/v1.1/databases/get",
    ],
)
async def test_where_a_method_is_found(client: httpx.AsyncClient, path: str) -> None:
    reply = await client.post(path, json={"token": "sandbox", "id": 1})
    assert reply.json()["data"]["id"] == 1


@pytest.mark.parametrize("path", ["/", "/api/v1.0/databases/get", "/api/v1.1databases/get", "/apis/v1.1/x"])
async def test_other_paths_are_not_found(client: httpx.AsyncClient, path: str) -> None:
    reply = await client.post(path, json={"token": "sandbox"})
    assert (reply.status_code, reply.json()["error"]) == (404, 404)


async def test_a_path_without_a_method_is_an_unknown_method(client: httpx.AsyncClient) -> None:
    reply = await client.post("/api/v1.1/", json={"token": "sandbox"})
    assert (reply.status_code, reply.json()["error"]) == (200, 501)


async def test_methods_are_post_only(client: httpx.AsyncClient) -> None:
    reply = await client.get("/api/v1.1/databases/get")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


async def test_xml_in_and_json_out(client: httpx.AsyncClient) -> None:
    reply = await client.post(
        "/api/v1.1/profiles/get",
        content="<xml><token>sandbox</token><db_id>1</db_id><email>customer1@example.com</email></xml>",
        headers={"Content-Type": "application/xml"},
    )
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.json()["data"]["email"] == "customer1@example.com"


async def test_json_in_and_xml_out(client: httpx.AsyncClient) -> None:
    reply = await client.post("/api/v1.1/databases/get?format=xml&token=sandbox", json={"id": 2})
    assert reply.headers["content-type"] == "application/xml; charset=utf-8"
    assert reply.text == (
        "<xml><error>0</error><error_text>Successful operation</error_text><data><id>2</id>"
        "<name>Members</name><group_id>1</group_id><ui_tags/><description/><suppress_id/></data></xml>"
    )


async def test_a_batch_in_xml_has_nested_items(client: httpx.AsyncClient) -> None:
    reply = await client.post(
        "/api/v1.1/profiles/add_batch?format=xml",
        content="<xml><token>sandbox</token><db_id>3</db_id>"
        "<data array='true'><email>a@example.com</email></data></xml>",
        headers={"Content-Type": "application/xml"},
    )
    assert reply.text.startswith(
        "<xml><error>0</error><error_text>Successful operation</error_text><result><xml>"
    )
    assert "<xml><error>402</error><error_text>Tariff limit reached: " in reply.text


async def test_an_export_is_fetched_with_the_header_only(client: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.state.files["done.csv"] = b"_id,email\r\n"
    path = "/api/download/data/done.csv"
    bare = await client.get(path, params={"token": "sandbox"})
    fetched = await client.get(path, headers={"Authorization": "Bearer sandbox"})
    missing = await client.get("/api/download/data/no.csv", headers={"Authorization": "Bearer sandbox"})
    posted = await client.post(path, headers={"Authorization": "Bearer sandbox"})
    assert [bare.status_code, fetched.status_code, missing.status_code] == [401, 200, 404]
    assert (fetched.content, fetched.headers["content-type"]) == (b"_id,email\r\n", "text/csv; charset=utf-8")
    assert posted.status_code == 405


async def test_a_fault_of_the_connection_needs_a_connection(
    client: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.RESET))
    with pytest.raises(RuntimeError, match="own server"):
        await client.post("/api/v1.1/databases/get", json={"token": "sandbox", "id": 1})


async def test_anything_but_http_is_refused(sandbox: Sandbox) -> None:
    async def never() -> dict[str, object]:
        raise AssertionError("nothing is received")

    async def nowhere(message: object) -> None:
        raise AssertionError("nothing is sent")

    with pytest.raises(RuntimeError, match="HTTP only"):
        await application(sandbox)({"type": "websocket"}, never, nowhere)


@pytest.mark.parametrize(
    ("accepted", "coding"), [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("identity", None), ("br", None)]
)
async def test_replies_are_compressed_for_whoever_takes_gzip(
    client: httpx.AsyncClient, accepted: str, coding: str | None
) -> None:
    reply = await client.post(
        "/api/v1.1/databases/get",
        json={"token": "sandbox", "id": 1},
        headers={"Accept-Encoding": accepted},
    )
    assert reply.headers.get("content-encoding") == coding
    assert reply.json()["data"]["id"] == 1
