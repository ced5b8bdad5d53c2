"""Keys as providers give them; none of them opens anything."""

from __future__ import annotations

TEST_KEY = "rk_test_" + "Ab3" * 12 + "9Zq7"
LIVE_KEY = "sk_live_" + "Cd4" * 12 + "8Yp6"
SIGNING = "whsec_" + "Ef5" * 10 + "7Xo5"
CLIENT_ID = "9f" * 15 + "4c2b"
CLIENT_SECRET = "Gh6+" * 10 + "6Wn4"

STRIPE_KEYS = {"secret_key": TEST_KEY, "webhook_secret": SIGNING}
HELLOASSO_KEYS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "organisation": "la-fabrique-du-pont"}
