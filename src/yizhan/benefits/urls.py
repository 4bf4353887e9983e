"""Addresses of the benefits room."""

from django.urls import URLPattern, URLResolver

from . import counter_urls

app_name = "benefits"

urlpatterns: list[URLPattern | URLResolver] = [*counter_urls.patterns]
