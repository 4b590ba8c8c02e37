"""The tokens of kept cut-outs: opaque to clients, and only those that this service made are looked
up.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from pipeline.errors import BadOrder

_ID_BYTES = 16
_BYTES = _ID_BYTES + hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Cutout:
    """What a client is told of a cut-out that is kept for it."""

    token: str
    expires_at: float
    """Seconds since the epoch."""


class Seal:
    """Signs ids with a secret that all replicas of one application share: HMAC-SHA256, RFC 2104."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self) -> tuple[bytes, str]:
        """A new random id of 128 bits and its token."""
        id = secrets.token_bytes(_ID_BYTES)
        return id, self.token(id)

    def token(self, id: bytes) -> str:
        """The id and its signature, in letters that stand in a URL as they are."""
        return base64.urlsafe_b64encode(id + self._signed(id)).decode("ascii")

    def open(self, token: str) -> bytes:
        """The id of a token. Raises BadOrder (``bad_cutout``) where it was not made here."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raw = b""
        id, signature = raw[:_ID_BYTES], raw[_ID_BYTES:]
        if len(raw) != _BYTES or not hmac.compare_digest(signature, self._signed(id)):
            raise BadOrder("bad_cutout")
        return id

    def _signed(self, id: bytes) -> bytes:
        return hmac.digest(self._secret, id, "sha256")
