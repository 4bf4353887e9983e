"""django-allauth's addresses, without those that need e-mail, which nobody has here."""

from __future__ import annotations

from allauth.account import urls as account_urls
from allauth.urls import build_provider_urlpatterns
from django.urls import URLPattern, URLResolver, include, path

_WITHOUT_EMAIL = {
    "account_inactive",
    "account_login",
    "account_logout",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
    "account_confirm_login_code",
    "account_request_login_code",
    "account_verify_phone",
    "account_change_phone",
}

urlpatterns: list[URLPattern | URLResolver] = [
    *(pattern for pattern in account_urls.urlpatterns if pattern.name in _WITHOUT_EMAIL),
    path("2fa/", include("allauth.mfa.urls")),
    path("3rdparty/", include("allauth.socialaccount.urls")),
    *build_provider_urlpatterns(),
]
