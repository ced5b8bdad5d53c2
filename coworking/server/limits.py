"""How much and how long the web server waits for a visitor."""

from __future__ import annotations

HEAD_BYTES = BODY_BYTES = 64 * 1024
"""How much of a request line with its headers, and of a body, is collected before a thread is given."""
HEAD_S, BODY_S = 10.0, 20.0
"""How long the headers may take from the first byte, and a collected body after them."""
LARGE_S, LARGE_AT_ONCE = 60.0, 2
"""How long a larger body may take, and how many threads of a worker read such bodies at the same time."""
ANSWER_BYTES, ANSWER_S = 256 * 1024, 60.0
"""How much of an answer a thread leaves to the poller, and how long the visitor may take to read all of it."""
