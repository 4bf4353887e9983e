"""What this room puts into the desk's navigation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry

from .rights import MANAGE_PROGRAMMES, SEE_MERCHANT

entries = [
    NavigationEntry(label=_("Merchants"), url_name="benefits:merchants", right=SEE_MERCHANT, order=420, icon="people"),
    NavigationEntry(
        label=_("Paper vouchers"), url_name="benefits:vouchers", right=MANAGE_PROGRAMMES, order=430, icon="list"
    ),
]
