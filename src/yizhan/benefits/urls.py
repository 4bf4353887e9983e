"""Addresses of the benefits room."""

from django.urls import URLPattern, URLResolver

from . import counter_urls, finance_urls

app_name = "benefits"

urlpatterns: list[URLPattern | URLResolver] = [*counter_urls.patterns, *finance_urls.patterns]
