"""gateway.explain: the report of one call. What it shares with real calls is shown in tests/e2e."""

import json
from typing import Any

import pytest

from gateway.assembly import effective_catalogue
from gateway.catalogue import loading
from gateway.errors import CallError
from gateway.explain import Explainer
from gateway.headers import CACHE_CONTROL, CONTENT_TYPE
from gateway.settings.model import Settings
from tests.builders import OFFLOAD

pytestmark = pytest.mark.anyio

JSON = {CONTENT_TYPE: b"application/json"}


def explainer(**sections: Any) -> Explainer:
    settings = Settings.model_validate(sections)
    return Explainer(settings, effective_catalogue(settings, loading.load()), OFFLOAD)


@pytest.mark.parametrize(
    ("wish", "looked_up", "stored", "joins"),
    [
        pytest.param(b"", True, True, True, id="none"),
        pytest.param(b"no-cache", False, True, False, id="no-cache"),
        pytest.param(b"no-store", False, False, False, id="no-store"),
    ],
)
async def test_the_caller_s_wish_decides_about_the_cache(
    wish: bytes, looked_up: bool, stored: bool, joins: bool
) -> None:
    rules = {"databases/get": {"ttl": "1s"}}
    report = await explainer(methods=rules).report(
        b"databases/get", b"", {**JSON, CACHE_CONTROL: wish}, b'{"id": 1}'
    )
    cache = report["cache"]
    assert (cache["looked_up"], cache["stored"], cache["joins_identical"]) == (looked_up, stored, joins)


async def test_where_the_cache_is_off_nothing_is_kept_and_identical_reads_are_joined_all_the_same() -> None:
    report = await explainer(cache={"enabled": False}).report(b"databases/get", b"", JSON, b'{"id": 1}')
    cache = report["cache"]
    assert (cache["looked_up"], cache["stored"], cache["joins_identical"]) == (False, False, True)
    assert (cache["ttl"], cache["negative_ttl"]) == (0, {})


async def test_without_request_ids_at_the_platform_a_write_is_not_resent() -> None:
    report = await explainer(upstream={"request_id_header": None}).report(
        b"profiles/import", b"", JSON, b'{"db_id": 1}'
    )
    assert report["flight"]["resent"] is False
    assert "Request-ID" not in report["headers"]


async def test_a_token_in_the_url_is_masked_and_the_rest_of_the_url_stays() -> None:
    report = await explainer(token_placement="query").report(
        b"profiles/import", b"sync=1&token=theirs", JSON, b'{"db_id": 1}'
    )
    assert report["url"] == "https://example.com/api/v1.1/profiles/import?sync=1&token=***"
    assert json.loads(report["body"]) == {"db_id": 1}


async def test_a_denied_method_is_refused_as_the_call_would_be() -> None:
    with pytest.raises(CallError) as refused:
        await explainer(method_policy={"deny": ["profiles/*"]}).report(b"profiles/get", b"", JSON, b"{}")
    assert refused.value.kind.status == 403
