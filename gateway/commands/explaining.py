"""`gateway explain`: how one call would be treated, from the same parts that treat calls. Sends nothing."""

from collections.abc import Mapping
from typing import Any

from gateway.assembly import effective_catalogue
from gateway.catalogue import loading as catalogue_loading
from gateway.explain import Explainer
from gateway.headers import CONTENT_TYPE
from gateway.offload import Offload
from gateway.settings import loading


async def explain(
    method: str, body: bytes, content_type: str, config: str | None, environ: Mapping[str, str]
) -> dict[str, Any]:
    """The report as plain data. Raises SettingsError, or CallError for a call that would be refused."""
    settings = loading.load(loading.find(config, environ), environ)
    explainer = Explainer(settings, effective_catalogue(settings, catalogue_loading.load()), Offload())
    name, _, query = method.partition("?")
    headers = {CONTENT_TYPE: content_type.encode("latin-1")}
    return await explainer.report(name.strip("/").encode(), query.encode(), headers, body)
