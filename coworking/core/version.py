"""The version of this software, as monthly returns and papers name it."""

from __future__ import annotations

VERSION = "0.1.0"
