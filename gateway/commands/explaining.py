"""`gateway explain`: how one call would be treated, from the same parts that treat calls. Sends nothing."""

from collections.abc import Mapping
from typing import Any

from gateway.assembly import dialect, effective_catalogue, intake, method_policy
from gateway.call import Call
from gateway.catalogue import loading as catalogue_loading
from gateway.catalogue.model import ApiMethod
from gateway.codec import fingerprint
from gateway.errors import CallError
from gateway.headers import CONTENT_TYPE
from gateway.offload import Offload
from gateway.outgoing import Writer
from gateway.policy.tags import TagRule
from gateway.routing import Router
from gateway.settings import loading
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.tokens.secret import Secret

MASKED = Secret("***")
REQUEST_ID = "<new for each call, unless the caller sends one>"


async def explain(
    method: str, body: bytes, content_type: str, config: str | None, environ: Mapping[str, str]
) -> dict[str, Any]:
    """The report as plain data. Raises SettingsError, or CallError for a call that would be refused."""
    settings = loading.load(loading.find(config, environ), environ)
    return await Explainer(settings).report(method, body, content_type)


class Explainer:
    """Explains calls of the default account."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalogue = effective_catalogue(settings, catalogue_loading.load())

    async def report(self, method: str, body: bytes, content_type: str) -> dict[str, Any]:
        name, _, query = method.partition("?")
        settings, headers = self._settings, {CONTENT_TYPE: content_type.encode("latin-1")}
        target = Router({DEFAULT_ACCOUNT: ""}, self._catalogue).find(b"/" + name.strip("/").encode())
        reading = intake(settings, Offload())
        call = Call(target, query.encode(), headers, body)
        request = await reading.read(call, reading.body_format(headers), None)
        spoken = dialect(settings, settings.all_accounts()[DEFAULT_ACCOUNT])
        rule = target.method
        outgoing = Writer(spoken, [rule]).write(request, MASKED if rule.carries_token else None, "REQUEST-ID")
        lines = outgoing.head.decode("latin-1").split("\r\n")[1:-1]
        return {
            "method": rule.name,
            "rule": {
                "known": rule.known,
                "effect": rule.effect.value,
                "summary": rule.summary,
                "source": rule.source,
                "overridden": rule.name in settings.methods,
                "refused": self._refusal(rule),
            },
            "format": {
                "request": request.format.value,
                "upstream": spoken.format.value,
                "reply": "as the platform's" if request.untouched else request.reply_format.value,
            },
            "fingerprint": fingerprint.fingerprint(
                spoken.base_url, rule.name, request.query, request.fields, rule.parameters
            ).hex(),
            "cache": None,
            "flight": None,
            "tags": list(TagRule.of(rule).tags(request.fields)),
            "token": rule.token_name or None,
            "url": str(outgoing.url).replace("%2A%2A%2A", "***"),
            "headers": dict(line.replace("REQUEST-ID", REQUEST_ID).split(": ", 1) for line in lines),
            "body": outgoing.body.decode(),
        }

    def _refusal(self, rule: ApiMethod) -> dict[str, Any] | None:
        """The answer that calls of the method get without being sent; None when they are."""
        try:
            method_policy(self._settings).check(rule)
        except CallError as refused:
            return {"status": refused.kind.status, "error": refused.kind.code, "error_text": refused.text}
        return None
