"""``python -m coworking.demo.stripe_double``: a test double of Stripe on 127.0.0.1, until Ctrl-C.

The keys come from ``STRIPE_SECRET_KEY`` and ``STRIPE_WEBHOOK_SECRET``, as the product's do.
"""

from __future__ import annotations

import argparse
import os
import sys

from coworking.demo.serving import serve_double
from coworking.demo.stripe_double.app import create_double


def main() -> int:
    """Serve the double; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m coworking.demo.stripe_double", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--notify-url", help="where signed notifications are posted")
    parser.add_argument("--settle-after", type=float, default=20.0, help="seconds until a SEPA debit is paid or fails")
    given = parser.parse_args()
    secret_key, webhook_secret = (os.environ.get(f"STRIPE_{name}") for name in ("SECRET_KEY", "WEBHOOK_SECRET"))
    if not secret_key or not webhook_secret:
        print("Set STRIPE_SECRET_KEY=sk_test_… and STRIPE_WEBHOOK_SECRET, the same as the lieu's.", file=sys.stderr)
        return 1
    return serve_double(
        given.port,
        lambda: create_double(secret_key, webhook_secret, given.notify_url, settles_after_s=given.settle_after).app,
    )


if __name__ == "__main__":
    sys.exit(main())
