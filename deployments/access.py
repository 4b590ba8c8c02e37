"""API keys: who may use the service, and how much of it at once.

A key is 256 random bits, so its plain SHA-256 is enough to keep: nobody can try 2^256 keys. Slow,
salted hashes are for passwords, which can be guessed; here they would only let anyone burn the
Gateway's CPU with wrong keys.

``python -m deployments.access NAME`` makes a key.
"""

import argparse
import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

from deployments.settings import Key
from pipeline.errors import Overloaded, Unauthorised

# Lets a scanner of source code and logs recognise a key that leaked.
PREFIX = "idphoto_"
_KEY_BYTES = 32


def make() -> str:
    """A new key of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def digest(key: str) -> str:
    """What the settings hold of a key: its SHA-256, in hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def presented(headers: Mapping[str, str]) -> str | None:
    """The key of ``Authorization: Bearer KEY``, else that of ``X-Api-Key``, else None. Another
    scheme of ``Authorization`` may be the edge's and does not count.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    return headers.get("x-api-key", "").strip() or None


class Keyring:
    """The keys that may use the service. Without any, the service is open."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)

    def holder(self, headers: Mapping[str, str]) -> Key | None:
        """The key that the request presents; None where the service is open.

        Raises Unauthorised (``key_missing``, ``key_unknown``).
        """
        if not self._keys:
            return None
        key = presented(headers)
        if key is None:
            raise Unauthorised("key_missing")
        found = None
        given = digest(key)
        # All of them, each in constant time: the time taken tells nothing about any digest.
        for known in self._keys:
            if hmac.compare_digest(known.sha256, given):
                found = known
        if found is None:
            raise Unauthorised("key_unknown")
        return found


class Shares:
    """Fair use: what each key has in flight in this Gateway replica. With G replicas a key may have
    up to G times its ``max_in_flight``, as they do not talk to one another.
    """

    def __init__(self) -> None:
        self._in_flight: Counter[str] = Counter()

    def take(self, key: Key) -> None:
        """A place for one more request. Raises Overloaded (``key_busy``)."""
        if key.max_in_flight is not None and self._in_flight[key.name] >= key.max_in_flight:
            raise Overloaded("key_busy", limit=key.max_in_flight)
        self._in_flight[key.name] += 1

    def give_back(self, key: Key) -> None:
        """The place of a request that has ended."""
        self._in_flight[key.name] -= 1


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deployments.access", description="Makes an API key."
    )
    parser.add_argument("name", help="who will hold it: letters, digits, dot, dash, underscore")
    name = parser.parse_args().name
    key = make()
    try:
        entry = Key(name=name, sha256=digest(key))
    except ValueError:
        parser.error("the name takes 1 to 40 letters, digits, dots, dashes and underscores")
    print(f"The key, for the client. It is shown this once:\n\n    {key}\n")
    print("Its hash, for serve_config.yaml, among applications[0].args:\n")
    print(f"    keys:\n      - {{name: {entry.name}, sha256: {entry.sha256}}}")


if __name__ == "__main__":
    _main()
