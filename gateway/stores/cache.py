"""Where replies of reads are kept: the protocol that memory and Redis keep, and its values.

A kept reply must never be older than a write that has ended. No list says which replies a write concerns;
instead every tag has a *generation*, a value that was never used before, and a reply is good while the
generations that its read began under still hold:

    read    begin_read, ask the platform, store          refused when a generation has changed in between
    write   begin_write, ask the platform, end_write     changes the generations at both ends

The change at the start takes away what is kept, so that a reader is not told the old state after another one
was told the new. The change at the end, *before any caller of the write is answered*, is the promise: a read
that began before the write ended cannot store, whenever its reply comes, and nobody joins it any more. The
price of a write is its own few tags, however many replies are kept.

In between the tags are *closed*: nothing is stored under them. A mark that is never ended, because its
process died, closes them for its lease only. Where the platform goes on changing after its answer, or where
the answer was lost, they stay closed for a while longer (`settle`). The end of either is a change too.

Tags are opaque here. A store knows nothing of methods, lifetimes and codes.
"""

from typing import Any, Protocol

import msgspec

from gateway.codec.negotiation import Format

Key = bytes
"""Account with its base URL, the token's name and mark, and the call's fingerprint."""

Tags = tuple[str, ...]

EVERY_READ = "every-read"
"""The tag that all reads of all accounts carry."""


def read_tags(scope: str, api_method: str, tags: Tags) -> Tags:
    """All that a read carries: its own `tags`, and those by which an operator purges.

    `scope` is the account's base URL: what is written through one account changes what others read there.
    """
    return (EVERY_READ, method_tag(api_method), *scoped(scope, tags))


def scoped(scope: str, tags: Tags) -> Tags:
    """The tags of one base URL: what a write changes."""
    return tuple([f"{scope} {tag}" for tag in tags])


def method_tag(api_method: str) -> str:
    """The tag of all reads of one method, whatever the account."""
    return f"method {api_method}"  # a scope is a URL, so this is none


class CacheEntry(msgspec.Struct, frozen=True, gc=False):
    """A reply as the platform gave it. It serves callers of both formats; hop-by-hop headers are not kept."""

    code: int  # the platform's `error`
    status: int
    content_type: bytes
    body: bytes
    format: Format


class Found(msgspec.Struct, frozen=True, gc=False):
    """A kept reply that is good, and the seconds since its read began."""

    entry: CacheEntry
    age: float


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """What a read began under. To be taken before its first byte is sent."""

    generations: tuple[Any, ...]  # one for each tag, in the store's own terms
    started_at: float  # by the store's clock
    closed: bool  # a tag was closed: the reply will not be stored


class WriteMark(msgspec.Struct, frozen=True, gc=False):
    """A write in progress."""

    identity: Any  # in the store's own terms
    tags: Tags


class CacheStore(Protocol):
    """Each method is one step that nothing comes between, but for the count of a purge."""

    async def lookup(self, key: Key) -> Found | None:
        """The reply under `key`, if no tag of it has changed. How old it may be is the caller's to judge."""
        ...

    def at_hand(self, key: Key) -> Found | None:
        """The same where it can be said without waiting. None says nothing: `lookup` may still find one."""
        ...

    async def begin_read(self, tags: Tags) -> Snapshot:
        """To be called before the platform is asked, also where nothing will be stored but may be joined."""
        ...

    async def still_valid(self, snapshot: Snapshot) -> bool:
        """Whether a read that begins now may take the answer of the one that began with `snapshot`.

        Not after a write under its tags has ended: the answer may be the state before it.
        """
        ...

    async def store(self, key: Key, entry: CacheEntry, snapshot: Snapshot, kept: float) -> bool:
        """Keep `entry` until `kept` seconds after its read began. Returns whether it is kept.

        Not when a tag has changed since or is closed, when the reply of a read that began later is there,
        nor when it is too large.
        """
        ...

    async def begin_write(self, tags: Tags, lease: float) -> WriteMark:
        """To be called before the first byte of a write. Closes the tags for `lease` seconds at most.

        The lease should outlast the write: after it, what is stored may be the state before.
        """
        ...

    async def end_write(self, mark: WriteMark, settle: float = 0.0) -> None:
        """To be called before any caller of the write is answered; also after the lease.

        With `settle`, the tags stay closed for so many seconds more.
        """
        ...

    async def purge(self, tags: Tags) -> int:
        """Change the tags, as a write does, in one step. Returns how many good replies went."""
        ...
