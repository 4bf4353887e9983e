"""Addresses of figures, wishes, stock, rosters, threads and consultations."""

from django.urls import URLPattern, path

from .views import counsel, figures, meetings, stock, wall, wishes

_SPONSOR = "sponsors/<uuid:public_id>/<slug:signature>/"

urlpatterns: list[URLPattern] = [
    path("wishes/", wall.wishes, name="wall"),
    path("wishes/<uuid:public_id>/", wall.wish, name="public_wish"),
    path("me/wishes/<uuid:public_id>/thanks/", wall.thank, name="thank"),
    path(_SPONSOR, wall.sponsor_wall, name="sponsor_wall"),
    path(f"{_SPONSOR}<uuid:wish_id>/<slug:step>/", wall.sponsor_step, name="sponsor_step"),
    path("me/talk/<uuid:public_id>/", counsel.own_talk, name="own_talk"),
    path("me/talk/<uuid:public_id>/book/<uuid:helper_id>/", counsel.own_book, name="own_book"),
    path("me/talk/<uuid:public_id>/end/<uuid:appointment_id>/", counsel.own_end, name="own_end"),
    path("desk/figures/", figures.figures, name="figures"),
    path("desk/figures/export.<str:form>", figures.export, name="figures_export"),
    path("desk/wishes/", wishes.desk_wishes, name="desk_wishes"),
    path("desk/wishes/export.<str:form>", wishes.export, name="wishes_export"),
    path("desk/wishes/publish/<uuid:public_id>/", wishes.publish, name="publish_wish"),
    path("desk/wishes/<uuid:public_id>/", wishes.desk_wish, name="wish"),
    path("desk/wishes/<uuid:public_id>/<slug:step>/", wishes.step, name="wish_step"),
    path("desk/sponsors/", wishes.sponsors, name="sponsors"),
    path("desk/sponsors/new/", wishes.new_sponsor, name="new_sponsor"),
    path("desk/sponsors/<uuid:public_id>/", wishes.sponsor, name="sponsor"),
    path("desk/sponsors/<uuid:public_id>/renew/", wishes.renew, name="renew_sponsor"),
    path("desk/stock/", stock.stock, name="stock"),
    path("desk/stock/new/", stock.new_item, name="new_stock_item"),
    path("desk/stock/out/", stock.out, name="stock_out"),
    path("desk/stock/out/export.<str:form>", stock.export, name="stock_export"),
    path("desk/stock/issues/<uuid:public_id>/return/", stock.give_back, name="stock_return"),
    path("desk/stock/<uuid:public_id>/", stock.item, name="stock_item"),
    path("desk/stock/<uuid:public_id>/change/", stock.change, name="stock_change"),
    path("desk/stock/<uuid:public_id>/issue/", stock.issue, name="stock_issue"),
    path("desk/roster/", counsel.roster, name="roster"),
    path("desk/roster/new/", counsel.new_helper, name="new_helper"),
    path("desk/roster/<uuid:public_id>/", counsel.helper, name="helper"),
    path("desk/talk/<uuid:public_id>/", counsel.talk, name="talk"),
    path("desk/talk/<uuid:public_id>/book/<uuid:helper_id>/", counsel.book, name="book"),
    path("desk/talk/<uuid:public_id>/end/<uuid:appointment_id>/", counsel.end, name="end_appointment"),
    path("desk/meetings/", meetings.meetings, name="meetings"),
    path("desk/meetings/new/", meetings.new_meeting, name="new_meeting"),
    path("desk/meetings/<uuid:public_id>/", meetings.meeting, name="meeting"),
    path("desk/meetings/<uuid:public_id>/edit/", meetings.change_meeting, name="change_meeting"),
    path("desk/meetings/<uuid:public_id>/print/", meetings.print_view, name="print_meeting"),
    path("desk/meetings/<uuid:public_id>/meeting.xlsx", meetings.export, name="export_meeting"),
    path("desk/meetings/<uuid:public_id>/parties/<uuid:party_id>/drop/", meetings.drop_party, name="drop_party"),
    path("desk/meetings/<uuid:public_id>/items/<uuid:item_id>/<slug:step>/", meetings.item_step, name="item_step"),
    path("desk/meetings/<uuid:public_id>/do/<slug:step>/", meetings.step, name="meeting_step"),
]
