"""Addresses of the web room."""

from django.urls import URLPattern, URLResolver, path

from .views import app, design, pages, reading

app_name = "web"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("desk/", pages.desk, name="desk"),
    path("desk/waiting/", pages.waiting, name="waiting"),
    path("design/", design.design, name="design"),
    path("offline/", pages.offline, name="offline"),
    path("language/", reading.choose_language, name="language"),
    path("type-size/", reading.choose_type_size, name="type_size"),
    path("manifest.webmanifest", app.manifest, name="manifest"),
    path("service-worker.js", app.service_worker, name="service_worker"),
]
