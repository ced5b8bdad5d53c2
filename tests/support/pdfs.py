"""PDFs that are drawn on the way to something else: each page once per process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coworking.core import pdf

_drawn: dict[bytes, tuple[bytes, bytes]] = {}
"""What the child answered to a page."""


@contextmanager
def drawn_once() -> Iterator[None]:
    """Within the block the child is asked for a page only once; the same page has the same PDF anyway.

    A test that watches the child (it has put its own function in the place of `_ask_again`) sees every page.
    """
    if "_ask_again" in vars(pdf._printer):
        yield
        return
    ask = pdf._printer._ask_again

    def remembering(message: bytes) -> tuple[bytes, bytes]:
        if message not in _drawn:
            answer = ask(message)
            if answer[0] != b"+":
                return answer
            _drawn[message] = answer
        return _drawn[message]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pdf._printer, "_ask_again", remembering)
        yield
