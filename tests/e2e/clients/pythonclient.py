"""A client of the platform as its users write them: `requests`, the token in each body, `error` looked at.

It knows nothing of a gateway. What it does is an application's day: import, look, subscribe, send, export.
"""

import json
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

DATABASE, RESOURCE, TRIGGER = 1, 2, 1
EMAIL = "jim@example.com"


class PlatformError(Exception):
    def __init__(self, method: str, reply: dict[str, Any]) -> None:
        super().__init__(f"{method}: {reply['error']} {reply['error_text']}")
        self.code = reply["error"]


class Platform:
    """`base_url` ends in /api/v1.1."""

    def __init__(self, base_url: str, token: str, timeout: float = 20) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.timeout = timeout
        self.session = requests.Session()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        response = self.session.post(
            f"{self.base_url}/{method}", json={"token": self.token, **params}, timeout=self.timeout
        )
        response.raise_for_status()
        reply: dict[str, Any] = response.json()
        if reply["error"] != 0:
            raise PlatformError(method, reply)
        return reply

    def download(self, url: str) -> bytes:
        """A finished export. The host of its URL is the platform's: ours takes its place."""
        ours, theirs = urlsplit(self.base_url), urlsplit(url)
        response = self.session.get(
            urlunsplit(theirs._replace(scheme=ours.scheme, netloc=ours.netloc)),
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=self.timeout,
        )
        response.raise_for_status()
        return response.content

    def wait_for(self, task_id: str) -> dict[str, Any]:
        give_up = time.monotonic() + self.timeout
        while time.monotonic() < give_up:
            task: dict[str, Any] = self.call("tasks/status", task_id=task_id)["data"]
            if task["status"] == "done":
                result: dict[str, Any] = task["result"]
                return result
            time.sleep(0.02)
        raise TimeoutError(task_id)


def work(base_url: str, token: str) -> dict[str, Any]:
    """The application's day, and what it saw."""
    platform = Platform(base_url, token)
    person = {"matching": "email", "email": EMAIL}
    imported = platform.call(
        "profiles/import", db_id=DATABASE, **person, data={"_fname": "Jim", "phones": ["+79000000000"]}
    )
    profile = platform.call("profiles/get", db_id=DATABASE, **person)["data"]
    place = {"db_id": DATABASE, "profile_id": imported["profile_id"]}
    platform.call(
        "subscriptions/set",
        **place,
        resource_id=RESOURCE,
        channel="email",
        email=EMAIL,
        status="subscribed",
    )
    subscriptions = platform.call("subscriptions/list", **place)["data"]
    platform.call("campaigns/triggers/start", id=TRIGGER, **person)
    task = platform.call("profiles/get_all", source_type="database", source_id=DATABASE, file_format="json")
    result = platform.wait_for(task["data"]["task_id"])
    people = [person for url in result["urls"] for person in json.loads(platform.download(url))]
    return {
        "profile_id": imported["profile_id"],
        "name": profile["_fname"],
        "phone": profile["phones"][0],
        "subscribed": [entry["resource_id"] for entry in subscriptions],
        "exported": [person["email"] for person in people].count(EMAIL),
    }
