"""Every address of the site; each room keeps its own."""

from django.urls import include, path

from . import api, health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("api/", api.api.urls),
    path("accounts/", include("yizhan.unions.sign_in.urls")),
    path("", include("yizhan.unions.urls")),
    path("", include("yizhan.places.urls")),
    path("", include("yizhan.passage.urls")),
    path("", include("yizhan.feeds.urls")),
    path("", include("yizhan.benefits.urls")),
    path("", include("yizhan.cases.urls")),
    path("", include("yizhan.rescue.urls")),
    path("", include("yizhan.web.urls")),
]

handler400 = "yizhan.site.problems.bad_request"
handler403 = "yizhan.web.views.errors.forbidden"
handler404 = "yizhan.site.problems.not_found"
handler500 = "yizhan.site.problems.server_error"
