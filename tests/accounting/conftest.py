"""What accounting looks at is what billing made: its lieu and its people."""

from __future__ import annotations

from tests.billing.conftest import billing_lieu

__all__ = ["billing_lieu"]
