# ruff: noqa: S310 - it posts to the address that the head gave
"""Join a network head and send it a month: a whole sender, with nothing but the standard library and `cryptography`.

    python send_return.py KEY.pem join https://head.example/network/join/TOKEN LIEU_ID "La Fabrique du Pont" > head.json
    python send_return.py KEY.pem send head.json RETURN.json

KEY.pem is made at the first call: keep it, and keep it secret. The second command may be repeated until it prints 200.
"""

import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value):  # RFC 8785, for values without fractions and with ASCII names
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def jws(payload, typ, key):
    kid = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]
    header = canonical({"alg": "EdDSA", "kid": kid, "typ": typ})
    signed = f"{b64(header)}.{b64(canonical(payload))}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def post(url, message):
    asked = urllib.request.Request(url, message.encode(), {"Content-Type": "application/jose"})
    try:
        answer = urllib.request.urlopen(asked, timeout=30)
    except urllib.error.HTTPError as error:  # the head's refusal is a JSON object, too
        answer = error
    return answer.status, json.load(answer)


def main(key_file, command, *rest):
    path = Path(key_file)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), None)
    if command == "join":
        link, lieu_id, name = rest
        x = b64(key.public_key().public_bytes_raw())
        payload = {"lieu_id": lieu_id, "name": name, "siret": None, "code_insee": None, "iat": int(time.time())}
        payload["jwk"] = {"kty": "OKP", "crv": "Ed25519", "x": x}
        payload["aud"] = hashlib.sha256(link.rpartition("/")[2].encode()).hexdigest()
        status, answer = post(link, jws(payload, "enrolment+jwt", key))
    else:
        head, document = (json.loads(Path(file).read_text(encoding="utf-8")) for file in rest)
        document["figures_sha256"] = hashlib.sha256(canonical(document["figures"])).hexdigest()
        payload = {"aud": head["head_id"], "iat": int(time.time()), "return": document}
        status, answer = post(head["returns_url"], jws(payload, "monthly-return+jwt", key))
    print(json.dumps(answer))
    print(status, file=sys.stderr)
    return status >= 300


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
