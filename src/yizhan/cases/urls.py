"""Addresses of the cases room."""

from django.urls import URLPattern, URLResolver, path

from . import outreach_urls, wish_urls
from .open311 import views as open311
from .views import case, desk, intake, results, setup, worker

app_name = "cases"

urlpatterns: list[URLPattern | URLResolver] = [
    path("cases/", worker.mine, name="mine"),
    path("cases/new/", worker.new, name="new"),
    path("cases/new/<slug:kind>/", worker.new_of_kind, name="new_of_kind"),
    path("cases/at/<slug:code>/", worker.at_code, name="at_code"),
    path("cases/t/<slug:token>/", worker.by_token, name="by_token"),
    path("cases/t/<slug:token>/files/<uuid:file_id>/", worker.token_file, name="token_file"),
    path("cases/t/<slug:token>/<slug:step>/", worker.token_step, name="token_step"),
    path("cases/<uuid:public_id>/", worker.own, name="own"),
    path("cases/<uuid:public_id>/files/<uuid:file_id>/", worker.own_file, name="own_file"),
    path("cases/<uuid:public_id>/<slug:step>/", worker.own_step, name="own_step"),
    path("results/", results.results, name="results"),
    path("desk/cases/", desk.cases, name="cases"),
    path("desk/cases/export.<str:form>", desk.export, name="export"),
    path("desk/cases/bulk/", desk.bulk, name="bulk"),
    path("desk/cases/filters/", desk.keep_filter, name="keep_filter"),
    path("desk/cases/filters/<uuid:public_id>/drop/", desk.drop_filter, name="drop_filter"),
    path("desk/cases/new/", intake.enter, name="enter"),
    path("desk/cases/hotline/", intake.hotline, name="hotline"),
    path("desk/cases/import/", intake.bring, name="import"),
    path("desk/cases/from-report/<uuid:public_id>/", intake.from_report, name="from_report"),
    path("desk/cases/problems/", results.problems, name="problems"),
    path("desk/cases/kinds/", setup.kinds, name="kinds"),
    path("desk/cases/kinds/<slug:code>/", setup.kind, name="kind"),
    path("desk/cases/kinds/<slug:code>/circle/", setup.circle, name="circle"),
    path("desk/cases/intake/", setup.intake, name="intake"),
    path("desk/cases/intake/code/", setup.make_code, name="make_code"),
    path("desk/cases/intake/<uuid:public_id>.pdf", setup.code_pdf, name="code_pdf"),
    path("desk/cases/intake/<uuid:public_id>.svg", setup.code_svg, name="code_svg"),
    path("desk/cases/intake/clients/<uuid:public_id>/revoke/", setup.revoke, name="revoke_client"),
    path("desk/cases/digest/", setup.digest, name="digest"),
    path("desk/cases/<uuid:public_id>/", case.case, name="case"),
    path("desk/cases/<uuid:public_id>/print/", case.print_page, name="print"),
    path("desk/cases/<uuid:public_id>/files/<uuid:file_id>/", case.file, name="file"),
    path("desk/cases/<uuid:public_id>/<slug:step>/", case.take, name="take"),
    path("open311/discovery.<str:form>", open311.discovery, name="open311_discovery"),
    path("open311/v2/services.<str:form>", open311.services, name="open311_services"),
    path("open311/v2/services/<str:code>.<str:form>", open311.service, name="open311_service"),
    path("open311/v2/requests.<str:form>", open311.requests, name="open311_requests"),
    path("open311/v2/requests/<str:number>.<str:form>", open311.request_of, name="open311_request"),
    path("open311/v2/tokens/<str:token>.<str:form>", open311.token, name="open311_token"),
]
urlpatterns += outreach_urls.urlpatterns
urlpatterns += wish_urls.urlpatterns
