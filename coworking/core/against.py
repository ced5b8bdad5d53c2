"""Compare the chains with heads kept elsewhere: are those entries still in the database?

A chain holds after its end was cut off. A backup's manifest, the weekly e-mail to managers and the returns sent to a network
head each hold ``"chain_heads": {"money": {"seq", "digest"}, …}`` as it was when they were made.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from sqlalchemy import func, select

from coworking.core.chain import CHAINS, ChainEntry
from coworking.core.db import db

_HEADS = re.compile(r'"chain_heads"\s*:\s*')
_SIGNED = re.compile(r"[A-Za-z0-9_-]{20,}\.([A-Za-z0-9_-]{40,})\.[A-Za-z0-9_-]{40,}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class NoHeads(ValueError):
    """The file holds nothing to compare with."""


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The last entry that a chain had once."""

    chain: str
    seq: int
    digest: str


def heads_in(path: Path) -> list[Head]:
    """Every head that a manifest, a saved e-mail or a return holds, in order; raises `NoHeads`."""
    found = {head for text in _texts(path.read_bytes()) for head in _heads(text)}
    if not found:
        raise NoHeads(f"{path.name} holds no chain_heads")
    return sorted(found)


def missing(heads: list[Head]) -> Iterator[str]:
    """For each chain the first entry that is missing or is another than ``heads`` remember."""
    broken: set[str] = set()
    for head in heads:
        if head.chain in broken or head.seq == 0:
            continue
        where = ChainEntry.chain == head.chain
        entry = db.session.scalar(select(ChainEntry).where(where, ChainEntry.seq == head.seq))
        if entry is None:
            last = db.session.scalar(select(func.max(ChainEntry.seq)).where(where)) or 0
            first = min(last, head.seq - 1) + 1
            yield f"{head.chain} entry {first} is missing: the chain ends at {last} and once reached {head.seq}"
        elif entry.link.digest != head.digest:
            yield f"{head.chain} entry {head.seq} is another than it was"
        else:
            continue
        broken.add(head.chain)


def _heads(text: str) -> Iterator[Head]:
    for match in _HEADS.finditer(text):
        try:
            given, _end = json.JSONDecoder().raw_decode(text, match.end())
        except ValueError:
            continue
        for name, head in given.items() if isinstance(given, dict) else ():
            seq, digest = (head.get("seq"), str(head.get("digest"))) if isinstance(head, dict) else (None, "")
            if name in CHAINS and type(seq) is int and seq >= 0 and _DIGEST.fullmatch(digest):
                yield Head(name, seq, digest)


def _texts(content: bytes) -> Iterator[str]:
    """The file as text; what is in an e-mail's parts; what a signed document says."""
    text = content.decode(errors="replace")
    yield text
    yield re.sub(r"^[> ]+", "", text, flags=re.MULTILINE)
    for part in message_from_bytes(content, policy=policy.default).walk():
        if part.get_content_type() == "text/plain":
            yield str(part.get_content())
    for match in _SIGNED.finditer(text):
        try:
            yield base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)).decode()
        except ValueError:
            continue
