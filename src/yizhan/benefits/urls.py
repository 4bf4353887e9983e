"""Addresses of the benefits room."""

from django.urls import URLPattern, URLResolver

app_name = "benefits"

urlpatterns: list[URLPattern | URLResolver] = []
