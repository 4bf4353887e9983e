# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled formulae of GCJ-02 and BD-09.

GCJ-02's offset is a sum of sines whose arguments are whole multiples of one small angle an axis, so one polynomial sine
and cosine an axis and multiple-angle identities give all of them. The largest multiple is 720, which magnifies rounding
to about 1e-13 of a 13 m term: far below a nanometre. Inverses are fixed-point iterations over blocks of points, so that
the compiler vectorises across points; a fixed count of rounds stands where a test per point would branch.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from yizhan.geo._region_kernels import EDGE, INSIDE, cell_class, contains_one

BLOCK = 512

# Krasovsky 1940 ellipsoid, which GCJ-02 applies to WGS-84 latitudes.
_A = 6378245.0
_EE = 0.00669342162296594323

_METRES_TO_LAT_DEG = 180.0 / (math.pi * _A * (1.0 - _EE))
_METRES_TO_LON_DEG = 180.0 / (math.pi * _A)
_SIN_35, _COS_35 = math.sin(math.radians(35.0)), math.cos(math.radians(35.0))
_X_ANGLE, _Y_ANGLE = math.pi / 120.0, math.pi / 180.0

_BD_LON, _BD_LAT = 0.0065, 0.0060
_BD_RADIUS, _BD_ANGLE = 2e-5, 3e-6
_BD_TURNS = 25.0 / 3.0  # the folk constant pi * 3000 / 180 radians a degree, in turns

# The offset's derivative is below 0.006 (GCJ-02) and 0.02 (BD-09), so each round gains a factor of at least 160 (50).
_GCJ_ROUNDS = 5
_BD_ROUNDS = 7

_OPTIONS: Any = {"nogil": True, "cache": True, "fastmath": {"contract"}, "error_model": "numpy"}
_INLINE: Any = _OPTIONS | {"forceinline": True}


@njit(**_INLINE)
def _sin_cos(a):
    """Sine and cosine by Taylor series; exact to rounding for |a| < 0.9."""
    q = a * a
    s = 1.0 - (1.0 / 272.0) * q
    s = 1.0 - (1.0 / 210.0) * q * s
    s = 1.0 - (1.0 / 156.0) * q * s
    s = 1.0 - (1.0 / 110.0) * q * s
    s = 1.0 - (1.0 / 72.0) * q * s
    s = 1.0 - (1.0 / 42.0) * q * s
    s = 1.0 - (1.0 / 20.0) * q * s
    s = 1.0 - (1.0 / 6.0) * q * s
    c = 1.0 - (1.0 / 306.0) * q
    c = 1.0 - (1.0 / 240.0) * q * c
    c = 1.0 - (1.0 / 182.0) * q * c
    c = 1.0 - (1.0 / 132.0) * q * c
    c = 1.0 - (1.0 / 90.0) * q * c
    c = 1.0 - (1.0 / 56.0) * q * c
    c = 1.0 - (1.0 / 30.0) * q * c
    c = 1.0 - (1.0 / 12.0) * q * c
    c = 1.0 - (1.0 / 2.0) * q * c
    return a * s, c


@njit(**_INLINE)
def _twice(s, c):
    return 2.0 * s * c, 1.0 - 2.0 * s * s


@njit(**_INLINE)
def _plus(s1, c1, s2, c2):
    return s1 * c2 + c1 * s2, c1 * c2 - s1 * s2


@njit(**_INLINE)
def _gcj_offset(lon, lat):
    """GCJ-02 minus WGS-84 at a WGS-84 position, in degrees of longitude and latitude.

    The formula is the one of the leaked reference implementation that all open packages share.
    """
    x = lon - 105.0
    y = lat - 35.0

    s1, c1 = _sin_cos(x * _X_ANGLE)
    s2, c2 = _twice(s1, c1)
    s4, c4 = _twice(s2, c2)  # pi x / 30
    s8, c8 = _twice(s4, c4)
    s10, c10 = _plus(s8, c8, s2, c2)  # pi x / 12
    s20, c20 = _twice(s10, c10)
    s40, c40 = _twice(s20, c20)  # pi x / 3
    s80, c80 = _twice(s40, c40)
    s120, c120 = _plus(s80, c80, s40, c40)  # pi x
    s240 = 2.0 * s120 * c120  # 2 pi x
    s720 = s240 * (3.0 - 4.0 * s240 * s240)  # 6 pi x

    t1, d1 = _sin_cos(y * _Y_ANGLE)
    t2, d2 = _twice(t1, d1)
    t3, d3 = _plus(t2, d2, t1, d1)
    t6, d6 = _twice(t3, d3)  # pi y / 30
    t12, d12 = _twice(t6, d6)
    t15, d15 = _plus(t12, d12, t3, d3)  # pi y / 12
    t30, d30 = _twice(t15, d15)
    t60, _ = _twice(t30, d30)  # pi y / 3
    t180 = t60 * (3.0 - 4.0 * t60 * t60)  # pi y

    root = math.sqrt(abs(x))
    common = 20.0 * (s720 + s240)
    north = (-100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root) + (
        common + 20.0 * t180 + 40.0 * t60 + 160.0 * t15 + 320.0 * t6
    ) * (2.0 / 3.0)
    east = (300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root) + (
        common + 20.0 * s120 + 40.0 * s40 + 150.0 * s10 + 300.0 * s4
    ) * (2.0 / 3.0)

    sin_lat = t1 * _COS_35 + d1 * _SIN_35
    cos_lat = d1 * _COS_35 - t1 * _SIN_35
    magic = 1.0 - _EE * sin_lat * sin_lat
    root_magic = math.sqrt(magic)
    return east * root_magic / cos_lat * _METRES_TO_LON_DEG, north * magic * root_magic * _METRES_TO_LAT_DEG


@njit(**_INLINE)
def _sin_cos_turns(turns):
    """Sine and cosine of 2 pi `turns`."""
    t = turns - math.floor(turns + 0.5)
    s, c = _sin_cos(t * (math.pi / 2.0))
    s, c = _twice(s, c)
    return _twice(s, c)


@njit(**_INLINE)
def _bd_point(x, y):
    """BD-09 of a GCJ-02 position, in degrees: a small turn and stretch about (0, 0), then a fixed shift."""
    r = math.sqrt(x * x + y * y)
    stretch = 1.0 + _BD_RADIUS * _sin_cos_turns(y * _BD_TURNS)[0] / r
    turn = _BD_ANGLE * _sin_cos_turns(x * _BD_TURNS)[1]
    c = 1.0 - 0.5 * turn * turn  # turn is 3e-6 at most: the next term is below 1e-23
    s = turn * (1.0 - turn * turn / 6.0)
    return (x * c - y * s) * stretch + _BD_LON, (y * c + x * s) * stretch + _BD_LAT


@njit(**_OPTIONS)
def _gcj_inverse(lon, lat):
    """The WGS-84 position whose GCJ-02 is (lon, lat), were the formula applied everywhere."""
    x, y = lon, lat
    for _ in range(_GCJ_ROUNDS):
        east, north = _gcj_offset(x, y)
        x, y = lon - east, lat - north
    return x, y


@njit(**_OPTIONS)
def _write(kinds, x, y, a, b, to_a, to_b):
    """Write a block: shifted where the datum applies, as it came where not, NaN where it was not finite."""
    for k in range(a.size):
        zero_or_nan = (a[k] - a[k]) + (b[k] - b[k])
        applies = kinds[k] == INSIDE
        to_a[k] = (x[k] if applies else a[k]) + zero_or_nan
        to_b[k] = (y[k] if applies else b[k]) + zero_or_nan


@njit(**_OPTIONS)
def _classify(kinds, a, b, region, classes):
    """Class of each point's cell; tells whether any is on the edge."""
    west, south, cell = region.west, region.south, region.cell
    edges = 0
    for k in range(a.size):
        kinds[k] = cell_class(a[k], b[k], west, south, cell, classes)
        edges += kinds[k] == EDGE
    return edges > 0


@njit(**_OPTIONS)
def wgs_to_gcj(lon, lat, to_lon, to_lat, region):
    """Shift the points that lie in the region."""
    x, y, kinds = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint8)
    for start in range(0, lon.size, BLOCK):
        a, b = lon[start : start + BLOCK], lat[start : start + BLOCK]
        for k in range(a.size):
            east, north = _gcj_offset(a[k], b[k])
            x[k], y[k] = a[k] + east, b[k] + north
        if _classify(kinds, a, b, region, region.classes):
            for k in range(a.size):
                if kinds[k] == EDGE and contains_one(a[k], b[k], region):
                    kinds[k] = INSIDE
        _write(kinds, x, y, a, b, to_lon[start : start + BLOCK], to_lat[start : start + BLOCK])


@njit(**_OPTIONS)
def gcj_to_wgs(lon, lat, to_lon, to_lat, region):
    """Undo the shift of the points that are the image of a point in the region."""
    x, y, kinds = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint8)
    for start in range(0, lon.size, BLOCK):
        a, b = lon[start : start + BLOCK], lat[start : start + BLOCK]
        for k in range(a.size):
            x[k], y[k] = a[k], b[k]
        for _ in range(_GCJ_ROUNDS):
            for k in range(a.size):
                east, north = _gcj_offset(x[k], y[k])
                x[k], y[k] = a[k] - east, b[k] - north
        if _classify(kinds, a, b, region, region.calm_classes):
            for k in range(a.size):
                if kinds[k] == EDGE and contains_one(x[k], y[k], region):
                    kinds[k] = INSIDE
        _write(kinds, x, y, a, b, to_lon[start : start + BLOCK], to_lat[start : start + BLOCK])


@njit(**_OPTIONS)
def gcj_to_bd(lon, lat, to_lon, to_lat, region):
    """Shift the points that are the GCJ-02 image of a point in the region."""
    x, y, kinds = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint8)
    for start in range(0, lon.size, BLOCK):
        a, b = lon[start : start + BLOCK], lat[start : start + BLOCK]
        for k in range(a.size):
            x[k], y[k] = _bd_point(a[k], b[k])
        if _classify(kinds, a, b, region, region.calm_classes):
            for k in range(a.size):
                if kinds[k] == EDGE:
                    u, v = _gcj_inverse(a[k], b[k])
                    if contains_one(u, v, region):
                        kinds[k] = INSIDE
        _write(kinds, x, y, a, b, to_lon[start : start + BLOCK], to_lat[start : start + BLOCK])


@njit(**_OPTIONS)
def bd_to_gcj(lon, lat, to_lon, to_lat, region):
    """Undo the shift of the points that are the BD-09 image of a point in the region."""
    x, y, kinds = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint8)
    for start in range(0, lon.size, BLOCK):
        a, b = lon[start : start + BLOCK], lat[start : start + BLOCK]
        for k in range(a.size):
            x[k], y[k] = a[k] - _BD_LON, b[k] - _BD_LAT
        for _ in range(_BD_ROUNDS):
            for k in range(a.size):
                u, v = _bd_point(x[k], y[k])
                x[k], y[k] = x[k] + (a[k] - u), y[k] + (b[k] - v)
        if _classify(kinds, a, b, region, region.calm_classes):
            for k in range(a.size):
                if kinds[k] == EDGE:
                    u, v = _gcj_inverse(x[k], y[k])
                    if contains_one(u, v, region):
                        kinds[k] = INSIDE
        _write(kinds, x, y, a, b, to_lon[start : start + BLOCK], to_lat[start : start + BLOCK])
