"""What a union sets: kinds, circles, ways in, the mail digest."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yizhan.cases.kinds import KindSpec
from yizhan.cases.models import CaseKind
from yizhan.cases.models.kinds import DAY_LIMITS
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.models import Staff
from yizhan.unions.rights import policy


class KindRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A union's own days and fields; what is left empty comes from above."""

    fields_text = forms.CharField(
        label=_("Fields of our own"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_(
            "A JSON list. Example: [{“name”: “shift”, “label”: [“班次”, “Shift”], “type”: “choice”, "
            "“choices”: [[“day”, “白班”, “Day”]]}]"
        ),
    )
    is_offered = forms.NullBooleanField(label=_("Offered to workers"), required=False)

    class Meta:
        model = CaseKind
        fields = [*DAY_LIMITS, "is_offered"]

    def __init__(self, *args: Any, kind: KindSpec, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, (least, most) in DAY_LIMITS.items():
            self.fields[name].help_text = _("Now %(days)d; from %(least)d to %(most)d.") % {
                "days": getattr(kind, name),
                "least": least,
                "most": most,
            }
        if self.instance.fields:
            self.fields["fields_text"].initial = json.dumps(self.instance.fields, ensure_ascii=False, indent=1)

    def clean_fields_text(self) -> Any:
        """The list, for the service to look at."""
        text = self.cleaned_data["fields_text"].strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is no JSON: %(error)s") % {"error": error}) from None

    def _post_clean(self) -> None:
        """The service checks and writes, not the form."""


class CircleForm(forms.Form):
    """Who handles confidential cases of a kind."""

    posts: Any = forms.ModelMultipleChoiceField(
        label=_("Handlers"),
        queryset=Staff.objects.none(),
        to_field_name="public_id",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nobody ticked: the union's administrators handle them."),
    )

    def __init__(self, *args: Any, staff: Staff, **options: Any) -> None:
        super().__init__(*args, **options)
        posts = Staff.objects.filter(union=staff.union, is_active=True, role__in=policy.roles(HANDLE_CASES))
        self.fields["posts"].queryset = posts.select_related("user", "union").order_by("user__name")  # type: ignore[attr-defined]


class ClientForm(forms.Form):
    """A system that files cases."""

    name = forms.CharField(label=_("Name of the system"), max_length=60)


class DigestForm(forms.Form):
    """Where the daily list goes."""

    address = forms.EmailField(
        label=_("Mail address"),
        required=False,
        max_length=120,
        help_text=_("Every working day at eight. Left empty: no mail. Confidential cases are only counted in it."),
    )
