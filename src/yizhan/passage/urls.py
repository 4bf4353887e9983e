"""Addresses of the passage room."""

from django.urls import URLPattern, URLResolver

app_name = "passage"
urlpatterns: list[URLPattern | URLResolver] = []
