"""People and phones at a counter, for the tests of counters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from yizhan.benefits import codes
from yizhan.benefits.models import CounterPost, Phone
from yizhan.benefits.services.counters import join_counter
from yizhan.benefits.services.phones import certify
from yizhan.places.models import Place
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import OPERATOR, Role


@dataclass
class WorkersPhone:
    """A worker's phone as the browser part makes it: `code(at)` is what its screen shows."""

    worker: Worker
    key: ec.EllipticCurvePrivateKey
    issued: bytes
    row: Phone
    shown: int = 0

    @classmethod
    def of(cls, worker: Worker, at: datetime) -> WorkersPhone:
        """Newly set up."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = certify(worker, **request(key), name="测试手机", at=at)
        return cls(worker, key, made.content, made.phone)

    def code(self, at: datetime) -> str:
        """Another one at each call."""
        self.shown += 1
        step = codes.step_at(at.timestamp())
        return codes.digits_of(codes.sign_code(self.issued, self.key, step=step, nonce=self.shown))


def request(key: ec.EllipticCurvePrivateKey) -> dict[str, bytes]:
    """What a phone sends to have its key certified."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"point": point, "proof": codes.sign_request(codes.compressed(key.public_key()), key)}


def at_counter(place: Place, role: Role = Role.CASHIER, *, username: str = "") -> Staff:
    """Someone with a post at a place's counter."""
    number = CounterPost.objects.with_scopes_disabled().count() + 1
    post, password = join_counter(
        actor=OPERATOR, place=place, role=role, username=username or f"counter{number}", name=f"收银{number}"
    )
    assert password
    post.staff.user.must_change_password = False
    post.staff.user.save(update_fields=["must_change_password"])
    return post.staff
