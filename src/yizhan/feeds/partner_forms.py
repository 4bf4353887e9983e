"""Forms of partners."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from yizhan.places.importing.table import MAXIMUM_BYTES
from yizhan.places.models import DatumChoice, PlaceKind
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union
from yizhan.unions.queries.tree import union_called

from .models import Carrier, FileForm, Partner, Signing
from .payloads import FIELDS
from .presets import PRESETS, Preset
from .services.partner_rules import PartnerFacts, facts_of

_LINES = {"rows": 6, "spellcheck": "false"}


class PartnerForm(forms.Form):
    """What staff say of a partner."""

    name = forms.CharField(label=_("Name"), max_length=80)
    union = forms.CharField(
        label=_("Union"),
        max_length=120,
        help_text=_("Its places and those below are shown. Whole name or division code; yours or one below it."),
    )
    contact = forms.CharField(
        label=_("Contact at the partner"),
        required=False,
        max_length=300,
        help_text=_("Whom to call when something is wrong. Stored encrypted; seen by those who manage partners."),
    )
    carrier = forms.ChoiceField(label=_("How changes reach it"), choices=Carrier, widget=forms.RadioSelect)
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_("Of its server: https://…, or sftp://user@host/folder for files by SFTP."),
    )
    signing = forms.ChoiceField(label=_("Signature of messages"), choices=Signing, required=False)
    platform_key = forms.CharField(
        label=_("Key of the map platform"),
        required=False,
        max_length=200,
        help_text=_("Stored encrypted. Leave empty to keep what is stored."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    platform_table = forms.CharField(label=_("Number of the platform's table"), required=False, max_length=120)
    host_key = forms.CharField(
        label=_("Public key of the SFTP host"),
        required=False,
        max_length=2_000,
        help_text=_("As `ssh-keyscan` prints it, such as “ssh-ed25519 AAAA…”. We connect to no other host."),
    )
    email = forms.CharField(label=_("E-mail address for files"), required=False, max_length=200)
    file_form = forms.ChoiceField(label=_("File format"), choices=FileForm, required=False)
    file_every_hours = forms.IntegerField(
        label=_("Hours between two files"),
        min_value=1,
        max_value=744,
        help_text=_("A file goes only if something changed."),
    )
    datum = forms.ChoiceField(
        label=_("Datum"), choices=DatumChoice, help_text=_("Of the positions that the partner gets.")
    )
    mapping = forms.CharField(
        label=_("Fields"),
        widget=forms.Textarea(attrs={**_LINES, "rows": 12}),
        help_text=_("One a line: partner's field = ours; “= =text” gives the text itself. Ours are: %(fields)s.")
        % {"fields": ", ".join(FIELDS)},
    )
    categories = forms.CharField(
        label=_("Category codes"),
        required=False,
        widget=forms.Textarea(attrs=_LINES),
        help_text=_("One a line: our kind = the partner's code. Kinds: %(kinds)s.")
        % {"kinds": ", ".join(PlaceKind.values)},
    )
    kinds = forms.MultipleChoiceField(
        label=_("Only these kinds of places"),
        choices=PlaceKind,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all kinds."),
    )
    unions = forms.CharField(
        label=_("Only places of these unions"),
        required=False,
        widget=forms.Textarea(attrs={**_LINES, "rows": 3}),
        help_text=_("Names or division codes, one a line; empty: all below the union above."),
    )
    areas = forms.CharField(
        label=_("Only places within these areas"),
        required=False,
        help_text=_("Division codes of provinces, cities or districts, with blanks between; empty: anywhere."),
    )
    requests_per_minute = forms.IntegerField(
        label=_("Most requests a minute"),
        min_value=1,
        max_value=60_000,
        help_text=_("Those that we send to it, and those that it asks us with its key."),
    )
    red_days = forms.IntegerField(label=_("Days within which it takes a closed place down"), min_value=1, max_value=90)
    is_simulated = forms.BooleanField(
        label=_("This is a simulated receiver"),
        required=False,
        help_text=_("For trying things out; marked everywhere."),
    )

    def __init__(self, *args: Any, is_new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["union"], self.fields["is_simulated"]

    def facts(self, *, union: Union) -> PartnerFacts:
        """What was entered.

        Raises:
            RuleBroken: a line of fields or codes is none, or there is no such union.
        """
        said = self.cleaned_data
        return PartnerFacts(
            name=said["name"],
            contact=said["contact"],
            datum=said["datum"],
            mapping=_pairs("mapping", said["mapping"]),
            categories=_pairs("categories", said["categories"]),
            kinds=tuple(said["kinds"]),
            unions=tuple(
                union_called(line, field="unions", below=union) for line in said["unions"].splitlines() if line.strip()
            ),
            areas=tuple(said["areas"].replace(",", " ").replace("，", " ").split()),
            requests_per_minute=said["requests_per_minute"],
            carrier=said["carrier"],
            address=said["address"],
            signing=said["signing"] or Signing.HMAC,
            platform_key=said["platform_key"],
            platform_table=said["platform_table"],
            host_key=said["host_key"],
            email=said["email"],
            file_form=said["file_form"] or FileForm.XLSX,
            file_every_hours=said["file_every_hours"],
            red_days=said["red_days"],
        )


class ExportForm(forms.Form):
    """A partner's own export."""

    file = forms.FileField(
        label=_("The partner's export"),
        help_text=_("CSV, xlsx or GeoJSON of what it shows, at most 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.json,.geojson"}),
    )
    datum = forms.ChoiceField(
        label=_("Datum"),
        choices=[("", _("The partner's")), *DatumChoice.choices],
        required=False,
        help_text=_("Of the positions in the file."),
    )
    taken_at = forms.DateTimeField(
        label=_("As of"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        help_text=_("When the partner made the file; what was sent later is not judged. Empty: now."),
    )

    def clean_file(self) -> Any:
        """Not larger than can be read."""
        file = self.cleaned_data["file"]
        if file.size > MAXIMUM_BYTES:
            raise forms.ValidationError(_("The file is larger than %(n)d MB.") % {"n": MAXIMUM_BYTES // 1024 // 1024})
        return file


class NoteForm(forms.Form):
    """How somebody knows that a place is gone."""

    note = forms.CharField(
        label=_("How do you know?"), max_length=200, help_text=_("Such as “looked into the app” or “call with 李经理”.")
    )


def initial_of(preset: Preset) -> dict[str, Any]:
    """A form for a new partner of this kind."""
    return _initial(facts_of(preset, name=str(preset.label)))


def initial_of_partner(partner: Partner) -> dict[str, Any]:
    """A form as the partner stands; the platform's key is not shown."""
    known = facts_of(PRESETS.get(partner.preset, PRESETS["generic"]))
    values = {
        name: getattr(partner, name)
        for name in PartnerFacts.__slots__
        if name not in {"unions", "kinds", "areas", "platform_key", "mapping"}
    }
    facts = PartnerFacts(
        **{
            **{name: getattr(known, name) for name in PartnerFacts.__slots__},
            **values,
            "platform_key": "",
            "mapping": partner.fields,
            "kinds": tuple(partner.kinds),
            "areas": tuple(partner.areas),
            "unions": tuple(partner.unions.all()),
        }
    )
    return _initial(facts)


def _initial(facts: PartnerFacts) -> dict[str, Any]:
    values = {name: getattr(facts, name) for name in PartnerFacts.__slots__}
    return {
        **values,
        "mapping": _lines(facts.mapping),
        "categories": _lines(facts.categories),
        "kinds": list(facts.kinds),
        "unions": "\n".join(union.division_code or union.name for union in facts.unions),
        "areas": " ".join(facts.areas),
    }


def _lines(pairs: dict[str, str]) -> str:
    return "\n".join(f"{theirs} = {ours}" for theirs, ours in pairs.items())


def _pairs(field: str, text: str) -> dict[str, str]:
    pairs = {}
    for line in text.splitlines():
        theirs, sign, ours = line.partition("=")
        if not line.strip():
            continue
        if not sign or not theirs.strip() or not ours.strip():
            raise RuleBroken.at(field, line[:80], _now("Write NAME = NAME on each line."), "not_a_pair")
        pairs[theirs.strip()] = ours.strip()
    return pairs
