"""How quick rescuers are is learned from what they did, and slips of the finger teach nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from tests.rescue.rescue_makers import HERE, Street, open_offers
from yizhan.rescue.calibration import Way, learned
from yizhan.rescue.commands import app
from yizhan.rescue.models import CallEvent, CallEventKind, Rescuer
from yizhan.rescue.queries.ways import finished_ways
from yizhan.rescue.services import answers
from yizhan.rescue.services.dispatching import run_round


def test_the_speed_is_that_of_the_median_way_and_slips_are_left_out() -> None:
    ways = [Way("e_bike", 1000.0, 400.0), Way("e_bike", 2000.0, 800.0), Way("e_bike", 3000.0, 600.0)]
    slips = [Way("e_bike", 50.0, 600.0), Way("e_bike", 5000.0, 2.0), Way("e_bike", 400.0, 90_000.0)]
    found = learned([*ways, *slips, Way("car", 1000.0, 200.0)], detour=1.6, least=3)
    assert found["e_bike"].ways == 3
    assert found["e_bike"].speed == pytest.approx(4.0)
    assert found["e_bike"].error_min(4.0, 1.6) == 0.0
    assert found["car"].speed is None
    assert list(found) == ["car", "e_bike"]


@pytest.mark.django_db
def test_ways_are_read_from_the_log_of_finished_calls(street: Street) -> None:
    rescuer: Rescuer = street.rescuer(metres=900)
    call = street.call()
    run_round()
    answers.accept_offer(open_offers(call)[0])
    answers.set_out(call, rescuer=rescuer)
    answers.arrive(call, rescuer=rescuer, position=HERE)
    (way,) = finished_ways(days=1)
    assert way.vehicle == "e_bike"
    assert way.metres == pytest.approx(900, abs=10)
    events = CallEvent.objects.with_scopes_disabled().filter(call=call)
    took = events.get(kind=CallEventKind.ARRIVED).at - events.get(kind=CallEventKind.ON_WAY).at
    assert timedelta(seconds=way.seconds) == took
    said = CliRunner().invoke(app, ["calibrate", "--least", "2"])
    assert said.exit_code == 0
    assert "Nothing was learned" in said.stdout
