"""Addresses of programme managers' pages."""

from django.urls import URLPattern, path

from .views import exclusion_pages, programme_pages

patterns: list[URLPattern] = [
    path("desk/programmes/", programme_pages.listed, name="programmes"),
    path("desk/programmes/export/<str:form>/", programme_pages.export, name="programmes_export"),
    path("desk/programmes/new/", programme_pages.new, name="new_programme"),
    path("desk/programmes/<uuid:public_id>/", programme_pages.shown, name="programme"),
    path("desk/programmes/<uuid:public_id>/change/", programme_pages.change, name="change_programme"),
    path("desk/programmes/<uuid:public_id>/step/<str:state>/", programme_pages.step, name="step_programme"),
    path("desk/programmes/<uuid:public_id>/offers/new/", programme_pages.offer, name="new_offer"),
    path("desk/programmes/<uuid:public_id>/offers/<uuid:offer_id>/", programme_pages.offer, name="change_offer"),
    path(
        "desk/programmes/<uuid:public_id>/offers/<uuid:offer_id>/active/",
        programme_pages.offer_active,
        name="offer_active",
    ),
    path("desk/programmes/<uuid:public_id>/budgets/", programme_pages.budget, name="set_budget"),
    path(
        "desk/programmes/<uuid:public_id>/budgets/<uuid:budget_id>/stop/",
        programme_pages.stop_budget,
        name="stop_budget",
    ),
    path("desk/programmes/<uuid:public_id>/simulation/", programme_pages.simulation, name="simulation"),
    path("desk/programmes/<uuid:public_id>/lotteries/", programme_pages.open_lottery, name="open_lottery"),
    path(
        "desk/programmes/<uuid:public_id>/lotteries/<uuid:lottery_id>/draw/",
        programme_pages.draw_lottery,
        name="draw_lottery",
    ),
    path("desk/exclusions/", exclusion_pages.listed, name="exclusions"),
    path("desk/exclusions/new/", exclusion_pages.new, name="new_exclusion"),
    path("desk/exclusions/<uuid:public_id>/", exclusion_pages.shown, name="exclusion"),
    path("desk/exclusions/<uuid:public_id>/lift/", exclusion_pages.lifted, name="lift_exclusion"),
    path("desk/exclusions/<uuid:public_id>/answer/", exclusion_pages.answered, name="answer_appeal"),
]
