"""The call at the end of a job: signed, repeated for a while, and only to hosts that are allowed.

The header ``Idphoto-Signature: t=TIME,v1=HEX`` holds the HMAC-SHA256 of ``TIME.BODY`` with the
setting ``webhook_secret`` as key; TIME is in seconds since 1970.
"""

import hashlib
import hmac
import http.client
import json
import logging
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from deployments import outbound
from deployments.jobs import events
from deployments.jobs.records import Job
from deployments.jobs.schemas import job_info
from deployments.jobs.store import Store, UnknownJob
from deployments.outbound import Place, Resolve
from pipeline.errors import BadOrder

log = logging.getLogger("ray.serve")

SIGNATURE_HEADER = "Idphoto-Signature"
AGAIN_AFTER_S = (10, 60, 300, 1800, 7200, 21600)
"""How long is waited after each failed call; after the last one it is given up."""
_TIMEOUT_S = 10
_CLAIM_S = 120


class Target(NamedTuple):
    """Where a webhook goes."""

    place: Place
    private: bool
    """The operator allows this host in a private network."""


def check_url(url: str, allowed: Sequence[str]) -> Target:
    """The parts of an address that may be called. Raises BadOrder (``webhook_not_allowed``)."""
    if not allowed:
        raise _refused("webhooks are off")
    try:
        found = outbound.place(url)
    except ValueError as error:
        raise _refused(str(error)) from None
    if "#" in url:
        raise _refused("a fragment has no place in it")
    for entry in allowed:
        listed = urlsplit(entry if "://" in entry else f"https://{entry}")
        listed_port = listed.port or outbound.PORTS.get(listed.scheme)
        if found[:3] == (listed.scheme, listed.hostname, listed_port):
            return Target(found, private="://" in entry)
    raise _refused("its scheme, host and port are not among the allowed ones")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``Idphoto-Signature``."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Webhooks:
    """Calls the webhooks that are owed. Several nodes may do it: the store gives each to one."""

    def __init__(
        self,
        store: Store,
        allowed: Sequence[str],
        secret: str,
        resolve: Resolve = outbound.resolve,
    ) -> None:
        self._store = store
        self._allowed = allowed
        self._secret = secret
        self._resolve = resolve

    def call_due(self) -> int:
        """Calls those that are due now, one after the other, at most ten; returns how many.

        To be called every few seconds, in a thread. Raises StoreUnavailable.
        """
        due = self._store.claim_webhooks(limit=10, claim_s=_CLAIM_S)
        for job in due:
            self._store.settle_webhook(job.id, self._call(job))
        return len(due)

    def _call(self, job: Job) -> float | None:
        """Seconds until it is to be called again, None for never."""
        try:
            target = check_url(job.webhook_url or "", self._allowed)
            body = _body(self._store, job.id)
            status = _post(target.place, self._address(target), body, self._headers(body))
            if 200 <= status < 300:
                return None
            reason = f"status {status}"
        except (BadOrder, UnknownJob) as error:
            log.warning("webhook of job %s is not called: %s", job.id, error)
            return None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        tries = job.webhook_tries
        again_s = AGAIN_AFTER_S[tries - 1] if tries <= len(AGAIN_AFTER_S) else None
        log.warning("webhook of job %s failed (%s), again in %s s", job.id, reason, again_s)
        return again_s

    def _address(self, target: Target) -> str:
        """The address that is called: the one that was looked at, whatever the name says later."""
        addresses = self._resolve(target.place.host, target.place.port)
        if not addresses:
            raise OSError("the host has no address")
        if not target.private and not all(map(outbound.is_public, addresses)):
            raise OSError("the host is in a private network")
        return addresses[0]

    def _headers(self, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "idphoto-serve",
            SIGNATURE_HEADER: signature(self._secret, int(time.time()), body),
        }


def _body(store: Store, job_id: str) -> bytes:
    info = job_info(events.look(store, job_id)).model_dump(mode="json")
    return json.dumps({"type": "job.ended", "job": info}).encode()


def _post(place: Place, address: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer. Redirects are not followed, and the answer's body is not read."""
    raw = outbound.connect(address, place, _TIMEOUT_S)
    connection = http.client.HTTPConnection(place.host, place.port, timeout=_TIMEOUT_S)
    connection.default_port = outbound.PORTS[place.scheme]
    connection.sock = raw
    try:
        connection.request("POST", place.path, body, {**headers, "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()
        raw.close()


def _refused(reason: str) -> BadOrder:
    return BadOrder("webhook_not_allowed", reason=reason)
