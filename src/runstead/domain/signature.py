"""How a webhook proves who sends it: as the Standard Webhooks say.

A secret is not kept anywhere: it is made of the server's key and the webhook's id, and again when it is needed.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

__all__ = ["secret", "signed"]

_PREFIX = "whsec_"


def secret(key: bytes, webhook_id: str, generation: int) -> str:
    """The secret of a webhook; every generation has another one."""
    made = _digest(key, f"runstead.webhook.{webhook_id}.{generation}".encode())
    return _PREFIX + base64.b64encode(made).decode()


def signed(secrets: Sequence[str], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that go with a body, which hold for a few minutes and for any of the secrets."""
    content = b"%s.%d.%s" % (id.encode(), timestamp, body)
    signatures = [base64.b64encode(_digest(_key(each), content)).decode() for each in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX))


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()
