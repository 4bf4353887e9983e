"""Addresses of what hangs at places: equipment, closures, photos, verifications, words and rules of care."""

from django.urls import URLPattern, path

from .views import care, facts

urlpatterns: list[URLPattern] = [
    path("desk/places/equipment/", facts.equipment, name="equipment"),
    path("desk/places/equipment/export.<str:form>", facts.export_equipment, name="equipment_export"),
    path("desk/places/equipment/<uuid:public_id>/", facts.change_equipment, name="equipment_change"),
    path("desk/places/equipment/<uuid:public_id>/turn/", facts.turn_equipment, name="equipment_turn"),
    path("desk/places/equipment/<uuid:public_id>/remove/", facts.remove_equipment, name="equipment_remove"),
    path("desk/places/closures/<uuid:public_id>/lift/", facts.lift, name="closure_lift"),
    path("desk/places/photos/<uuid:public_id>/remove/", facts.remove_photo, name="photo_remove"),
    path("desk/places/photos/<uuid:public_id>/move/", facts.move_photo, name="photo_move"),
    path("desk/places/verifications/<uuid:public_id>/photo/", care.evidence, name="verification_photo"),
    path("desk/places/words/", care.words, name="words"),
    path("desk/places/words/<slug:code>/", care.word, name="word"),
    path("desk/places/words/<slug:code>/remove/", care.remove_word, name="word_remove"),
    path("desk/places/care/", care.rules, name="care_rules"),
    path("desk/places/<uuid:public_id>/equipment/new/", facts.new_equipment, name="equipment_new"),
    path("desk/places/<uuid:public_id>/occupancy/", facts.tell_occupancy, name="tell_occupancy"),
    path("desk/places/<uuid:public_id>/shut/", facts.shut, name="shut"),
    path("desk/places/<uuid:public_id>/photos/", facts.photos, name="photos"),
    path("desk/places/<uuid:public_id>/verify/", care.verify, name="verify"),
]
