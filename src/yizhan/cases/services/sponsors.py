"""爱心企业: who they are, and the signed link under which they claim."""

from __future__ import annotations

import base64

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from yizhan.cases import wish_actions as actions
from yizhan.cases.models import Sponsor
from yizhan.cases.wish_rights import MANAGE_SPONSORS
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.rights import policy

from .log import Actor


@transaction.atomic
def save_sponsor(
    *,
    union: Union,
    actor: Actor,
    name: str,
    contact_name: str = "",
    contact_phone: str = "",
    note: str = "",
    is_active: bool = True,
    sponsor: Sponsor | None = None,
) -> Sponsor:
    """Enter a sponsor of a union, or change one. An empty phone keeps the one that is known.

    Raises:
        NotAllowed: the actor manages no sponsors there.
        RuleBroken: no name, one that the union has entered, or a phone that is none.
    """
    policy.require(actor, MANAGE_SPONSORS, union)
    said = one_line(name)[:80]
    if not said:
        raise RuleBroken.at("name", "", _("A sponsor needs a name."), "missing")
    current = sponsor or Sponsor(union=union)
    current.name, current.note, current.is_active = said, one_line(note)[:200], is_active
    current.contact_name = one_line(contact_name)[:60]
    if contact_phone.strip():
        current.contact_phone = normal_phone(contact_phone, field="contact_phone")
    try:
        with transaction.atomic():
            current.save()
    except IntegrityError:
        raise RuleBroken.at("name", said, _("Your union has a sponsor of this name already."), "taken") from None
    record(actor, actions.SPONSOR_SAVED, union=union, target=current)
    return current


def link_of(sponsor: Sponsor) -> str:
    """Path of the page under which this sponsor claims; only this installation can make it."""
    return reverse("cases:sponsor_wall", args=[sponsor.public_id, _signature(sponsor)])


def sponsor_by_link(public_id: object, signature: str) -> Sponsor:
    """Whose link it is.

    Raises:
        Sponsor.DoesNotExist: the link is forged, was renewed, or the sponsor no longer takes part.
    """
    sponsor: Sponsor = Sponsor.rules.select_related("union").get(public_id=public_id, is_active=True)
    if not constant_time_compare(signature, _signature(sponsor)):
        raise Sponsor.DoesNotExist
    return sponsor


@transaction.atomic
def renew_link(sponsor: Sponsor, *, actor: Actor) -> Sponsor:
    """Make earlier links of a sponsor worthless."""
    policy.require(actor, MANAGE_SPONSORS, sponsor.union)
    current: Sponsor = Sponsor.rules.select_for_update(of=("self",)).select_related("union").get(pk=sponsor.pk)
    current.link_number += 1
    current.save(update_fields=["link_number"])
    record(actor, actions.SPONSOR_LINK, union=current.union, target=current)
    return current


def _signature(sponsor: Sponsor) -> str:
    told = f"{sponsor.public_id} {sponsor.link_number}"
    mac = salted_hmac("cases.sponsor", told, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")
