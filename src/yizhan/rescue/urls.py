"""Addresses of the rescue room."""

from django.urls import path

from .views import desk, rescuer, rider, subsidies

app_name = "rescue"

urlpatterns = [
    path("rescue/", rider.new, name="new"),
    path("rescue/c/<slug:token>/", rider.live, name="live"),
    path("rescue/c/<slug:token>/now/", rider.part, name="live_part"),
    path("rescue/c/<slug:token>/photos/<uuid:public_id>/", rider.photo, name="live_photo"),
    path("rescue/c/<slug:token>/<slug:step>/", rider.step, name="live_step"),
    path("rescue/duty/", rescuer.page, name="duty"),
    path("rescue/duty/now/", rescuer.part, name="duty_part"),
    path("rescue/duty/<slug:turn>/", rescuer.turn, name="turn"),
    path("rescue/offers/<uuid:public_id>/<slug:answer>/", rescuer.answer, name="answer"),
    path("rescue/jobs/<uuid:public_id>/photos/<uuid:photo_id>/", rescuer.photo, name="job_photo"),
    path("rescue/jobs/<uuid:public_id>/<slug:step>/", rescuer.step, name="job_step"),
    path("desk/rescue/", desk.board, name="board"),
    path("desk/rescue/now/", desk.board_part, name="board_part"),
    path("desk/rescue/coverage.geojson", desk.coverage, name="coverage"),
    path("desk/rescue/history/", desk.history, name="history"),
    path("desk/rescue/history/export.<str:form>", desk.export, name="history_export"),
    path("desk/rescue/subsidies/", subsidies.subsidies, name="subsidies"),
    path("desk/rescue/subsidies/export.<str:form>", subsidies.export, name="subsidies_export"),
    path("desk/rescue/subsidies/again/", subsidies.retry_all, name="retry_subsidies"),
    path("desk/rescue/subsidies/new/", subsidies.new, name="new_subsidy"),
    path("desk/rescue/subsidies/terms/<uuid:public_id>/", subsidies.terms, name="subsidy_terms"),
    path("desk/rescue/subsidies/<uuid:public_id>/again/", subsidies.retry, name="retry_subsidy"),
    path("desk/rescue/rescuers/", desk.rescuers, name="rescuers"),
    path("desk/rescue/rescuers/new/", desk.new_rescuer, name="new_rescuer"),
    path("desk/rescue/rescuers/<uuid:public_id>/", desk.rescuer, name="rescuer"),
    path("desk/rescue/rescuers/<uuid:public_id>/switch/", desk.switch_rescuer, name="switch_rescuer"),
    path("desk/rescue/<uuid:public_id>/", desk.call, name="call"),
    path("desk/rescue/<uuid:public_id>/photos/<uuid:photo_id>/", desk.photo, name="photo"),
    path("desk/rescue/<uuid:public_id>/<slug:step>/", desk.take, name="take"),
]
