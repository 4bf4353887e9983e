"""Distances on the sphere."""

import math

import numpy as np
import pytest

from yizhan.geo import EARTH_RADIUS_M, haversine_m


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert haversine_m(113.0, 34.0, 113.0, 35.0) == pytest.approx(EARTH_RADIUS_M * math.pi / 180)


def test_opposite_ends_of_the_earth_are_half_a_turn_apart() -> None:
    assert haversine_m(10.0, 20.0, -170.0, -20.0) == pytest.approx(EARTH_RADIUS_M * math.pi)


def test_beijing_to_shanghai_is_as_far_as_the_atlas_says() -> None:
    assert haversine_m(116.4074, 39.9042, 121.4737, 31.2304) == pytest.approx(1_067_000, rel=0.005)


def test_four_scalars_give_a_float_and_arrays_their_shape() -> None:
    assert type(haversine_m(1.0, 2.0, 3.0, 4.0)) is float
    assert haversine_m(np.zeros((2, 3)), 0.0, 1.0, np.zeros(3)).shape == (2, 3)
    assert math.isnan(haversine_m(math.nan, 2.0, 3.0, 4.0))
