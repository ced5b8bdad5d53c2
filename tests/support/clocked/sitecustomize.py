"""Loaded by Python itself at the start of a process whose PYTHONPATH names this folder: it then lives at another time.

The file named by ``TEST_CLOCK`` holds how many seconds the clock is ahead; a test changes it while processes run. The
product knows nothing of it: only the source of `coworking.core.clock.now` is another one.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coworking.core import clock

_file = Path(os.environ["TEST_CLOCK"])


def _elsewhen() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_file.read_text()))


clock._source = _elsewhen
