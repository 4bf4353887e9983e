"""Addresses of reports and plates."""

from django.urls import URLPattern, path

from .views import plates, report_desk, reports

urlpatterns: list[URLPattern] = [
    path("places/<uuid:public_id>/report/", reports.report, name="report_fault"),
    path("r/<slug:token>/", reports.receipt, name="receipt"),
    path("r/<slug:token>/add/", reports.add, name="receipt_add"),
    path("r/<slug:token>/verdict/", reports.verdict, name="receipt_verdict"),
    path("r/<slug:token>/take-back/", reports.take_back, name="receipt_take_back"),
    path("r/<slug:token>/photos/<uuid:public_id>/", reports.receipt_photo, name="receipt_photo"),
    path("p/<slug:code>", plates.scanned, name="plate_scanned"),
    path("desk/places/reports/", report_desk.reports, name="reports"),
    path("desk/places/reports/export.<str:form>", report_desk.export, name="reports_export"),
    path("desk/places/reports/rules/", report_desk.rules, name="report_rules"),
    path("desk/places/reports/<uuid:public_id>/", report_desk.report, name="report"),
    path("desk/places/reports/<uuid:public_id>/answer/", report_desk.answer, name="report_answer"),
    path("desk/places/reports/<uuid:public_id>/verify/", report_desk.verify, name="report_verify"),
    path("desk/places/reports/<uuid:public_id>/photos/<uuid:photo_id>/", report_desk.photo, name="report_photo"),
    path("desk/places/plates/", plates.plates, name="plates"),
    path("desk/places/plates/<str:size>.pdf", plates.batch, name="plates_batch"),
    path("desk/places/plates/visits.<str:form>", plates.export_visits, name="plate_visits_export"),
    path("desk/places/<uuid:public_id>/plate/", plates.plate, name="plate"),
    path("desk/places/<uuid:public_id>/plate/plate.svg", plates.plate_svg, name="plate_svg"),
    path("desk/places/<uuid:public_id>/plate/<str:size>.pdf", plates.plate_pdf, name="plate_pdf"),
]
