"""How one call would be treated, told by the same parts that treat calls. Sends nothing, and has no token."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway import identity
from gateway.assembly import dialect, intake, method_policy, read_rule
from gateway.call import Call, Request
from gateway.catalogue.model import Catalogue, Repeats
from gateway.codec.body import MalformedBodyError
from gateway.headers import Headers
from gateway.intake import refusal
from gateway.offload import Offload, is_cheap
from gateway.outgoing import Writer
from gateway.policy import freshness
from gateway.policy.freshness import SUCCESS, Lifetime
from gateway.policy.tags import TagRule
from gateway.routing import Router
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.tokens.secret import Secret

MASKED = Secret("***")
NEW_ID = "<new for each call, unless the caller sends one>"


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains calls of the default account under one configuration."""

    settings: Settings
    catalogue: Catalogue  # with the operator's rules over it
    offload: Offload

    async def report(self, method: bytes, query: bytes, headers: Headers, body: bytes) -> dict[str, Any]:
        """The report as plain data; `method` as in a call's path. Raises CallError for a call that would be
        refused."""
        target = Router({DEFAULT_ACCOUNT: ""}, self.catalogue).find(b"/" + method)
        rule = target.method
        method_policy(self.settings).check(rule)
        reading = intake(self.settings, self.offload)
        key = identity.caller_key(headers)
        call = Call(reading.head(target, query, headers, key, reading.reply_format(headers, query)), body)
        request = reading.read(call) if is_cheap(body) else await reading.read_beside(call)
        spoken = dialect(self.settings, self.settings.all_accounts()[DEFAULT_ACCOUNT])
        digest = request.fingerprint.hex()
        request_id = _request_id(request, digest)
        token = MASKED if rule.carries_token else None
        try:
            outgoing = Writer(spoken, [rule]).write(request, token, request_id)
        except MalformedBodyError as error:
            raise refusal(error) from error
        lines = outgoing.head.decode("latin-1").split("\r\n")[1:-1]
        modifies = rule.effect.modifies
        return {
            "method": rule.name,
            "rule": {
                "known": rule.known,
                "effect": rule.effect.value,
                "summary": rule.summary,
                "source": rule.source,
                "overridden": rule.name in self.settings.methods,
            },
            "format": {
                "request": request.format.value,
                "upstream": spoken.format.value,
                "reply": "as the platform's" if request.untouched else request.reply_format.value,
            },
            "fingerprint": digest,
            "cache": None if modifies else self._cache(request, digest),
            "flight": self._flight(request, request_id) if modifies else None,
            "tags": list(TagRule.of(rule).tags(request.body_only_fields())),
            "token": rule.token_name or None,
            "url": str(outgoing.to.url).replace(quote(MASKED.reveal()), MASKED.reveal()),
            "headers": dict(line.split(": ", 1) for line in lines),
            "body": outgoing.body.decode(),
        }

    def _cache(self, request: Request, digest: str) -> dict[str, Any]:
        """What the cache may do with a read. Times in seconds."""
        method, control = request.method, request.cache_control
        rule = read_rule(self.settings, method).freshness
        success = rule.lifetime(SUCCESS) or Lifetime(0.0)
        return {
            "looked_up": freshness.may_look(rule, control),
            "stored": freshness.may_keep(rule, control),
            "joins_identical": freshness.may_join(method, control),
            "ttl": success.ttl,
            "stale_while_revalidate": success.stale_while_revalidate,
            "stale_if_error": success.stale_if_error,
            "negative_ttl": {
                str(code): lifetime.ttl for code, lifetime in rule.lifetimes.items() if code != SUCCESS
            },
            "key": {
                "account": DEFAULT_ACCOUNT,
                "base_url": self.settings.upstream.base_url,
                "token": method.token_name or None,
                "fingerprint": digest,
            },
        }

    def _flight(self, request: Request, request_id: str) -> dict[str, Any]:
        """How repeats of a modifying call are recognised. Times in seconds."""
        dedup, method = self.settings.dedup, request.method
        return {
            "recognised": dedup.enabled,
            "identity": "fingerprint" if request.key is None else "key",
            "request_id": request_id,
            "repeats": method.repeats.value,
            "replay": method.replay.value if request.key is None else "always",
            "windows": {
                "owed": dedup.window if method.window is None else method.window,
                "key": dedup.key_window,
                "unknown": dedup.unknown_window,
            },
            "resent": self.settings.upstream.request_id_header is not None,
        }


def _request_id(request: Request, digest: str) -> str:
    """Which id the platform would get."""
    if request.key is not None:
        return request.key
    return digest if request.method.repeats is Repeats.CONTENT else NEW_ID
