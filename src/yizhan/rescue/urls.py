"""Addresses of the rescue room."""

from django.urls import URLPattern, URLResolver

app_name = "rescue"

urlpatterns: list[URLPattern | URLResolver] = []
