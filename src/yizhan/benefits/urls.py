"""Addresses of the benefits room."""

from django.urls import URLPattern, URLResolver

from . import counter_urls, finance_urls, programme_urls

app_name = "benefits"

urlpatterns: list[URLPattern | URLResolver] = [
    *programme_urls.patterns,
    *counter_urls.patterns,
    *finance_urls.patterns,
]
