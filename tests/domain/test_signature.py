"""What webhooks are signed with: as the official client checks it."""

import time

import pytest
from openai import InvalidWebhookSignatureError, OpenAI

from runstead.domain.signature import secret, signed

KEY = b"a key of the server that nobody knows"
BODY = '{"type":"thread.run.completed","data":{"text":"Grüße"}}'.encode()


@pytest.fixture
def check() -> OpenAI:
    return OpenAI(api_key="unused")


def now() -> int:
    return int(time.time())  # noqa: TID251 (the official client compares it with its own)


def test_the_official_client_accepts_what_is_signed(check: OpenAI) -> None:
    mine = secret(KEY, "webhook_1", 1)
    check.webhooks.verify_signature(BODY, signed([mine], "evt_1", now(), BODY), secret=mine)


@pytest.mark.parametrize(
    ("id", "timestamp", "body", "generation"),
    [("evt_2", 0, BODY, 1), ("evt_1", 1, BODY, 1), ("evt_1", 0, BODY + b" ", 1), ("evt_1", 0, BODY, 2)],
    ids=["another event", "another time", "another body", "another secret"],
)
def test_it_refuses_what_was_changed(check: OpenAI, id: str, timestamp: int, body: bytes, generation: int) -> None:
    at = now()
    headers = signed([secret(KEY, "webhook_1", 1)], "evt_1", at, BODY)
    headers |= {"webhook-id": id, "webhook-timestamp": str(at + timestamp)}
    with pytest.raises(InvalidWebhookSignatureError):
        check.webhooks.verify_signature(body, headers, secret=secret(KEY, "webhook_1", generation))


@pytest.mark.parametrize("generation", [1, 2])
def test_either_of_two_secrets_opens_what_both_have_signed(check: OpenAI, generation: int) -> None:
    both = [secret(KEY, "webhook_1", each) for each in (2, 1)]
    headers = signed(both, "evt_1", now(), BODY)
    check.webhooks.verify_signature(BODY, headers, secret=secret(KEY, "webhook_1", generation))


def test_a_signature_is_that_of_the_standard() -> None:
    # Given in the documentation of the Standard Webhooks' libraries.
    headers = signed(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_differ_by_key_webhook_and_generation() -> None:
    made = {secret(key, id, number) for key in (KEY, KEY[1:]) for id in ("webhook_1", "webhook_2") for number in (1, 2)}
    assert len(made) == 8
    assert all(each.startswith("whsec_") for each in made)
