"""Addresses of the feeds room."""

from django.urls import URLPattern, URLResolver, include, path

from .views import hsds, ogc, public

app_name = "feeds"

_PLACES = "api/ogc/collections/places"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("yizhan.feeds.push_urls")),
    path("open-data/", public.open_data, name="open_data"),
    path("embed/", public.embed, name="embed"),
    path("embed/code/", public.embed_code, name="embed_code"),
    path("robots.txt", public.robots, name="robots"),
    path("sitemap.xml", public.sitemap_index, name="sitemap_index"),
    path("sitemap-pages.xml", public.sitemap_pages, name="sitemap_pages"),
    path("sitemap-places-<int:part>.xml", public.sitemap_places, name="sitemap_places"),
    path("api/ogc", ogc.landing),
    path("api/ogc/", ogc.landing, name="ogc"),
    path("api/ogc/conformance", ogc.conformance, name="ogc_conformance"),
    path("api/ogc/api", ogc.api, name="ogc_api"),
    path("api/ogc/collections", ogc.collections, name="ogc_collections"),
    path(_PLACES, ogc.collection, name="ogc_collection"),
    path(f"{_PLACES}/items", ogc.items, name="ogc_items"),
    path(f"{_PLACES}/items/<str:feature_id>", ogc.item, name="ogc_item"),
    path("api/hsds", hsds.root),
    path("api/hsds/", hsds.root, name="hsds"),
    path("api/hsds/organizations", hsds.organizations, name="hsds_organizations"),
    path("api/hsds/organizations/<uuid:identifier>", hsds.organization, name="hsds_organization"),
    path("api/hsds/services", hsds.services, name="hsds_services"),
    path("api/hsds/services/<uuid:identifier>", hsds.service, name="hsds_service"),
    path("api/hsds/locations", hsds.locations, name="hsds_locations"),
    path("api/hsds/locations/<uuid:identifier>", hsds.location, name="hsds_location"),
    path("api/hsds/service_at_locations", hsds.services_at_locations, name="hsds_services_at_locations"),
    path("api/hsds/service_at_locations/<uuid:identifier>", hsds.service_at_location, name="hsds_service_at_location"),
    path("api/hsds/schedules", hsds.schedules, name="hsds_schedules"),
    path("api/hsds/schedules/<uuid:identifier>", hsds.schedule, name="hsds_schedule"),
    path("api/hsds/taxonomies", hsds.taxonomies, name="hsds_taxonomies"),
    path("api/hsds/taxonomies/<uuid:identifier>", hsds.taxonomy, name="hsds_taxonomy"),
    path("api/hsds/taxonomy_terms", hsds.taxonomy_terms, name="hsds_taxonomy_terms"),
    path("api/hsds/taxonomy_terms/<uuid:identifier>", hsds.taxonomy_term, name="hsds_taxonomy_term"),
]
