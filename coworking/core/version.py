"""The version of this software, as monthly returns and PDFs name it."""

from __future__ import annotations

VERSION = "0.1.0"
