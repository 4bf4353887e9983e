"""What must hold of what staff say of a partner; each rule adds a problem that names the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from yizhan.feeds.models import Carrier, FileForm, Partner, Signing
from yizhan.feeds.payloads import FIELDS, problems_of
from yizhan.feeds.presets import PRESETS, Preset
from yizhan.feeds.pushing.files import host_key_problem
from yizhan.places.models import DatumChoice, PlaceKind
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Union
from yizhan.unions.webhooks import problem_of

NAME_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerFacts:
    """What staff say of a partner. See `Partner` for the meaning of each."""

    name: str
    contact: str = ""
    datum: str
    mapping: dict[str, str]
    categories: dict[str, str]
    kinds: tuple[str, ...] = ()
    unions: tuple[Union, ...] = ()
    areas: tuple[str, ...] = ()
    requests_per_minute: int = 600
    carrier: str
    address: str = ""
    signing: str = Signing.HMAC
    platform_key: str = ""
    platform_table: str = ""
    host_key: str = ""
    email: str = ""
    file_form: str = FileForm.XLSX
    file_every_hours: int = 24
    red_days: int = 3


def facts_of(preset: Preset, *, name: str = "") -> PartnerFacts:
    """What a preset knows beforehand."""
    return PartnerFacts(
        name=name or str(preset.label),
        datum=preset.datum.value,
        mapping=dict(preset.mapping),
        categories=dict(preset.categories),
        carrier=preset.carrier,
        address=preset.address,
        file_form=preset.form,
    )


def checked(facts: PartnerFacts, partner: Partner) -> dict[str, Any]:
    """The columns; all problems at once."""
    problems: list[Problem] = []
    name = " ".join(facts.name.split())
    if not name or len(name) > NAME_LENGTH:
        message = _("A partner needs a name of at most %(most)s characters.") % {"most": NAME_LENGTH}
        problems.append(Problem("name", name[:NAME_LENGTH], message, "required"))
    elif Partner.every.filter(union=partner.union, name=name).exclude(pk=partner.pk).exists():
        problems.append(Problem("name", name, _("This union has a partner of that name already."), "taken"))
    problems += _of_the_words(facts)
    problems += _of_the_filters(facts, partner)
    problems += _of_the_way(facts, partner)
    for field, value, least, most in (
        ("requests_per_minute", facts.requests_per_minute, 1, 60_000),
        ("file_every_hours", facts.file_every_hours, 1, 744),
        ("red_days", facts.red_days, 1, 90),
    ):
        if not least <= value <= most:
            message = _("must be between %(least)s and %(most)s") % {"least": least, "most": most}
            problems.append(Problem(field, value, message, "out_of_range"))
    if problems:
        raise RuleBroken(problems)
    return {
        "name": name,
        "contact": facts.contact.strip(),
        "datum": facts.datum,
        "mapping": [list(pair) for pair in facts.mapping.items()],
        "categories": facts.categories,
        "kinds": list(facts.kinds),
        "areas": list(facts.areas),
        "requests_per_minute": facts.requests_per_minute,
        "carrier": facts.carrier,
        "address": facts.address.strip(),
        "signing": facts.signing,
        "platform_key": facts.platform_key or partner.platform_key,
        "platform_table": facts.platform_table.strip(),
        "host_key": facts.host_key.strip(),
        "email": facts.email.strip(),
        "file_form": facts.file_form,
        "file_every_hours": facts.file_every_hours,
        "red_days": facts.red_days,
    }


def _of_the_words(facts: PartnerFacts) -> list[Problem]:
    problems = []
    if unknown := problems_of(facts.mapping):
        message = _("We have no field “%(field)s”; there are: %(fields)s.") % {
            "field": unknown[0],
            "fields": ", ".join(FIELDS),
        }
        problems.append(Problem("mapping", ", ".join(unknown), message, "unknown_field"))
    if not any(ours == "id" for ours in facts.mapping.values()):
        message = _("One field must hold our number (id), or nobody can tell which place is meant.")
        problems.append(Problem("mapping", "", message, "no_id"))
    if unknown := [kind for kind in facts.categories if kind not in PlaceKind.values]:
        message = _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(PlaceKind.values)}
        problems.append(Problem("categories", unknown[0], message, "unknown_kind"))
    if facts.datum not in DatumChoice.values:
        problems.append(Problem("datum", facts.datum, _("Unknown datum."), "unknown_datum"))
    return problems


def _of_the_filters(facts: PartnerFacts, partner: Partner) -> list[Problem]:
    problems = []
    for union in facts.unions:
        if not union.path.startswith(partner.union.path):
            message = _("“%(union)s” is not below the partner's union.") % {"union": union.name}
            problems.append(Problem("unions", union.name, message, "not_below"))
    for kind in facts.kinds:
        if kind not in PlaceKind.values:
            message = _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(PlaceKind.values)}
            problems.append(Problem("kinds", kind, message, "unknown_kind"))
    for area in facts.areas:
        if not (area.isascii() and area.isdigit() and len(area) in {2, 4, 6}):
            message = _("Division codes have 2, 4 or 6 digits.")
            problems.append(Problem("areas", area[:20], message, "not_a_code"))
    return problems


def _of_the_way(facts: PartnerFacts, partner: Partner) -> list[Problem]:
    address = facts.address.strip()
    if facts.carrier not in Carrier.values:
        return [Problem("carrier", facts.carrier, _("Choose one of the ways."), "unknown_carrier")]
    match facts.carrier:
        case Carrier.WEBHOOK | Carrier.PLATFORM:
            if address and (problem := problem_of(address)):
                return [Problem("address", address, problem, "invalid")]
            if facts.carrier == Carrier.PLATFORM and not PRESETS[partner.preset].platform:
                return [Problem("carrier", facts.carrier, _("Of this partner we know no interface."), "no_interface")]
        case Carrier.SFTP:
            if address and not _is_sftp(address):
                message = _("Write it as sftp://user@host/folder.")
                return [Problem("address", address, message, "invalid")]
            if facts.host_key.strip() and host_key_problem(facts.host_key):
                message = _("This is no public key of a host, such as “ssh-ed25519 AAAA…”.")
                return [Problem("host_key", facts.host_key[:40], message, "invalid")]
        case Carrier.EMAIL:
            try:
                if facts.email.strip():
                    validate_email(facts.email.strip())
            except ValidationError:
                return [Problem("email", facts.email[:80], _("This is no e-mail address."), "invalid")]
    if facts.signing not in Signing.values or facts.file_form not in FileForm.values:
        return [Problem("signing", facts.signing, _("Unknown choice."), "unknown")]
    return []


def _is_sftp(address: str) -> bool:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises where it is no port
    except ValueError:
        return False
    return parts.scheme == "sftp" and bool(parts.hostname) and bool(parts.username) and not parts.password
