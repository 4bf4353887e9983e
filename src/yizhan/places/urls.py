"""Addresses of the places room."""

from django.urls import URLPattern, URLResolver, path

from . import care_urls, report_urls
from .views import changes, imports, lists, public, steps

app_name = "places"
urlpatterns: list[URLPattern | URLResolver] = [
    path("places/", public.place_list, name="public_list"),
    path("places/<uuid:public_id>/", public.place, name="place"),
    path("desk/places/", lists.places, name="places"),
    path("desk/places/export.<str:form>", lists.export, name="export"),
    path("desk/places/new/", changes.new, name="new"),
    path("desk/places/import/", imports.bring, name="import"),
    path("desk/places/import/preview/", imports.preview, name="import_preview"),
    path("desk/places/import/rejects/", imports.rejects, name="import_rejects"),
    path("desk/places/<uuid:public_id>/", lists.place, name="desk_place"),
    path("desk/places/<uuid:public_id>/change/", changes.change, name="change"),
    path("desk/places/<uuid:public_id>/publish/", steps.publish, name="publish"),
    path("desk/places/<uuid:public_id>/withdraw/", steps.withdraw, name="withdraw"),
    path("desk/places/<uuid:public_id>/resume/", steps.resume, name="resume"),
    path("desk/places/<uuid:public_id>/close/", steps.close, name="close"),
    *report_urls.urlpatterns,
    *care_urls.urlpatterns,
]
