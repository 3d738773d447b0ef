"""Runs inside mitmproxy, in its own Python: nothing of ours can be imported here."""

import json
import os
from typing import Any

TOKEN = os.environ["PLATFORM_TOKEN"]


def request(flow: Any) -> None:
    call = json.loads(flow.request.content)
    call["token"] = TOKEN
    flow.request.content = json.dumps(call).encode()
