"""Addresses of the passage room."""

from django.urls import URLPattern, URLResolver, path

from .views import counts, live, passing, playback, reminders, rules, sources

app_name = "passage"
urlpatterns: list[URLPattern | URLResolver] = [
    path("passing/", passing.passing, name="passing"),
    path("desk/reminders/", reminders.reminders, name="reminders"),
    path("desk/reminders/export/<str:form>/", reminders.export, name="export_reminders"),
    path("desk/passage/live/", live.live, name="live"),
    path("desk/passage/live/addresses/", live.addresses, name="live_addresses"),
    path("desk/passage/playback/", playback.playback, name="playback"),
    path("desk/passage/counts/", counts.counts, name="counts"),
    path("desk/passage/counts/export/<str:form>/", counts.export, name="export_counts"),
    path("desk/passage/settings/", rules.own, name="rules"),
    path("desk/passage/settings/<uuid:public_id>/", rules.of, name="rules_of"),
    path("desk/passage/settings/<uuid:public_id>/inherit/", rules.inherit, name="inherit_rules"),
    path("desk/passage/sources/", sources.sources, name="sources"),
    path("desk/passage/sources/new/", sources.create, name="create_source"),
    path("desk/passage/sources/<uuid:public_id>/", sources.source, name="source"),
    path("desk/passage/sources/<uuid:public_id>/counts/", counts.keep, name="keep_counts"),
    path("desk/passage/sources/<uuid:public_id>/rate/", sources.limit, name="limit_source"),
    path("desk/passage/sources/<uuid:public_id>/webhook/", sources.webhook, name="set_webhook"),
    path("desk/passage/sources/<uuid:public_id>/webhook/secret/", sources.rotate_secret, name="rotate_secret"),
    path("desk/passage/sources/<uuid:public_id>/webhook/again/", sources.send_again, name="send_again"),
    path("desk/passage/sources/<uuid:public_id>/key/", sources.rotate, name="rotate_key"),
    path("desk/passage/sources/<uuid:public_id>/revoke/", sources.revoke, name="revoke_source"),
]
