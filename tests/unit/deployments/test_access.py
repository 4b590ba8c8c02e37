"""Keys: made, kept as hashes, found again, shared fairly."""

import hashlib
import hmac
import subprocess
import sys

import pytest
import yaml
from pydantic import ValidationError

from deployments import access
from deployments.access import Keyring, Shares
from deployments.settings import Key, Settings
from pipeline.errors import Overloaded, Unauthorised

SHOP, BOOTH = access.make(), access.make()
KEYS = (
    Key(name="shop", sha256=access.digest(SHOP), max_in_flight=2),
    Key(name="booth", sha256=access.digest(BOOTH)),
)


def test_a_key_is_256_random_bits_and_hashed_as_it_is() -> None:
    keys = {access.make() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key.removeprefix(access.PREFIX)) == 43 for key in keys)  # 256 bits in base64
    assert access.digest(SHOP) == hashlib.sha256(SHOP.encode()).hexdigest()


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"authorization": f"Bearer {SHOP}"}, "shop"),
        ({"authorization": f"bearer  {BOOTH} "}, "booth"),
        ({"x-api-key": BOOTH}, "booth"),
        ({"authorization": "Basic dXNlcjpwYXNz", "x-api-key": SHOP}, "shop"),  # the edge's own
        ({"authorization": f"Bearer {SHOP}", "x-api-key": BOOTH}, "shop"),
    ],
)
def test_a_key_is_found_by_what_is_presented(headers: dict[str, str], name: str) -> None:
    found = Keyring(KEYS).holder(headers)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "key_missing"),
        ({"authorization": "Bearer"}, "key_missing"),
        ({"authorization": SHOP}, "key_missing"),
        ({"authorization": f"Basic {SHOP}"}, "key_missing"),
        ({"x-api-key": "  "}, "key_missing"),
        ({"x-api-key": SHOP[:-1]}, "key_unknown"),
        ({"x-api-key": SHOP + "x"}, "key_unknown"),
        ({"x-api-key": access.digest(SHOP)}, "key_unknown"),
        ({"x-api-key": "\udcff\xe9"}, "key_unknown"),
        ({"authorization": "Bearer nobody", "x-api-key": SHOP}, "key_unknown"),
    ],
)
def test_all_else_is_refused(headers: dict[str, str], code: str) -> None:
    with pytest.raises(Unauthorised) as refused:
        Keyring(KEYS).holder(headers)
    assert refused.value.code == code


def test_every_hash_is_compared_wherever_the_key_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = hmac.compare_digest

    def watched(one: str, other: str) -> bool:
        compared.append(one)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    Keyring(KEYS).holder({"x-api-key": SHOP})
    assert compared == [key.sha256 for key in KEYS]


def test_without_keys_the_service_is_open() -> None:
    assert Keyring(()).holder({}) is None
    assert Keyring(()).holder({"x-api-key": "whatever"}) is None


def test_a_key_has_its_share_and_no_more() -> None:
    shares = Shares()
    shop, booth = KEYS
    shares.take(shop)
    shares.take(shop)
    with pytest.raises(Overloaded) as refused:
        shares.take(shop)
    assert refused.value.code == "key_busy"
    for _ in range(100):
        shares.take(booth)
    shares.give_back(shop)
    shares.take(shop)


@pytest.mark.parametrize(
    "keys",
    [
        [{"name": "a b", "sha256": "0" * 64}],
        [{"name": "a\n", "sha256": "0" * 64}],
        [{"name": "", "sha256": "0" * 64}],
        [{"name": "a", "sha256": SHOP}],
        [{"name": "a", "sha256": "0" * 64, "max_in_flight": 0}],
        [{"name": "a", "sha256": "0" * 64}, {"name": "a", "sha256": "1" * 64}],
        [{"name": "a", "sha256": "0" * 64}, {"name": "b", "sha256": "0" * 64}],
    ],
)
def test_keys_that_make_no_sense_stop_the_start(keys: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"keys": keys})


@pytest.mark.parametrize("origin", ["*", "photos.example", "https://a.example/", "https://*.a"])
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    Settings(allowed_origins=("https://photos.example", "http://localhost:5173"))
    with pytest.raises(ValidationError):
        Settings(allowed_origins=(origin,))


def test_the_command_makes_a_key_that_the_settings_take() -> None:
    command = [sys.executable, "-m", "deployments.access", "shop"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (key,) = (word for word in text.split() if word.startswith(access.PREFIX))
    settings = Settings.model_validate(yaml.safe_load(text[text.index("    keys:") :]))
    found = Keyring(settings.keys).holder({"x-api-key": key})
    assert found is not None
    assert found.name == "shop"
    assert key not in repr(settings)
