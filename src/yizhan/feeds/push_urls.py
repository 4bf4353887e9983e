"""Addresses of the pages about partners."""

from django.urls import URLPattern, path

from .views import listings, partners, reconciling

urlpatterns: list[URLPattern] = [
    path("desk/partners/", partners.partners, name="partners"),
    path("desk/partners/new/", partners.create, name="create_partner"),
    path("desk/partners/coverage/", listings.coverage, name="coverage"),
    path("desk/partners/listings/", listings.listings, name="listings"),
    path("desk/partners/listings/export/<str:form>/", listings.export_listings, name="export_listings"),
    path("desk/partners/listings/<uuid:public_id>/", listings.listing, name="listing"),
    path("desk/partners/listings/<uuid:public_id>/down/", listings.taken_down, name="taken_down"),
    path("desk/partners/deliveries/", listings.deliveries, name="deliveries"),
    path("desk/partners/dead/", listings.dead_letters, name="dead_letters"),
    path("desk/partners/red/", listings.red_list, name="red_list"),
    path("desk/partners/exports/<uuid:public_id>/", reconciling.export, name="partner_export"),
    path(
        "desk/partners/exports/<uuid:public_id>/findings/<str:form>/",
        reconciling.export_findings,
        name="export_findings",
    ),
    path("desk/partners/<uuid:public_id>/", partners.partner, name="partner"),
    path("desk/partners/<uuid:public_id>/change/", partners.change, name="change_partner"),
    path("desk/partners/<uuid:public_id>/key/", partners.rotate_key, name="rotate_partner_key"),
    path("desk/partners/<uuid:public_id>/secret/", partners.rotate_secret, name="rotate_partner_secret"),
    path("desk/partners/<uuid:public_id>/test/", partners.test, name="test_partner"),
    path("desk/partners/<uuid:public_id>/pause/", partners.pause, name="pause_partner"),
    path("desk/partners/<uuid:public_id>/resume/", partners.resume, name="resume_partner"),
    path("desk/partners/<uuid:public_id>/everything/", partners.send_everything, name="send_everything"),
    path("desk/partners/<uuid:public_id>/replay/", partners.replay, name="replay_dead_letters"),
    path("desk/partners/<uuid:public_id>/exports/", reconciling.exports, name="partner_exports"),
]
