# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Compiled search along a line: for each place near it, how far it lies from the line and where along the line."""

import math

import numpy as np
from numba import njit

from yizhan.geo._nearest_kernels import EARTH_RADIUS_M, RADIANS

METRES_PER_DEGREE = EARTH_RADIUS_M * RADIANS
SHORTEST = 1e-12  # sine of the angle below which a step is a point: some micrometres


@njit(nogil=True, cache=True, inline="always")
def _angle(ax, ay, az, bx, by, bz):
    """Radians between two unit vectors, exact for small and large angles."""
    cx, cy, cz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return math.atan2(math.sqrt(cx * cx + cy * cy + cz * cz), ax * bx + ay * by + az * bz)


@njit(nogil=True, cache=True)
def _from_step(px, py, pz, ax, ay, az, bx, by, bz):
    """Radians from a point to the great-circle step a–b, and from `a` to the nearest point of the step."""
    nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    sine = math.sqrt(nx * nx + ny * ny + nz * nz)
    if sine < SHORTEST:
        return _angle(px, py, pz, ax, ay, az), 0.0
    nx, ny, nz = nx / sine, ny / sine, nz / sine
    tx, ty, tz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax  # from `a` along the step
    ahead = math.atan2(px * tx + py * ty + pz * tz, px * ax + py * ay + pz * az)
    length = math.atan2(sine, ax * bx + ay * by + az * bz)
    if ahead <= 0.0:
        return _angle(px, py, pz, ax, ay, az), 0.0
    if ahead >= length:
        return _angle(px, py, pz, bx, by, bz), length
    return abs(math.asin(min(max(px * nx + py * ny + pz * nz, -1.0), 1.0))), ahead


@njit(nogil=True, cache=True)
def along(route_lon, route_lat, corridor_m, allowed, grid, distance, place_along):
    """Fill in, for each place within the corridor, its metres from the route and those along it; the rest stays.

    `distance` comes filled with infinity. Of two points of the route that are as near, the earlier counts.
    """
    so_far = 0.0
    for step in range(max(route_lon.size - 1, 1)):
        last = min(step + 1, route_lon.size - 1)
        lon1, lat1 = route_lon[step], route_lat[step]
        lon2, lat2 = route_lon[last], route_lat[last]
        c1, c2 = math.cos(lat1 * RADIANS), math.cos(lat2 * RADIANS)
        ax, ay, az = c1 * math.cos(lon1 * RADIANS), c1 * math.sin(lon1 * RADIANS), math.sin(lat1 * RADIANS)
        bx, by, bz = c2 * math.cos(lon2 * RADIANS), c2 * math.sin(lon2 * RADIANS), math.sin(lat2 * RADIANS)
        length = _angle(ax, ay, az, bx, by, bz) * EARTH_RADIUS_M
        # A great circle bulges towards the pole by length² tan(latitude) / 8 R; twice that, and a metre, is enough.
        steepest = math.tan(max(abs(lat1), abs(lat2)) * RADIANS)
        margin = corridor_m + length * length * steepest / (4.0 * EARTH_RADIUS_M) + 1.0
        reach_lat = margin / METRES_PER_DEGREE
        highest = min(max(abs(lat1), abs(lat2)) + reach_lat, 89.0)
        reach_lon = reach_lat / math.cos(highest * RADIANS)
        south, north = min(lat1, lat2) - reach_lat, max(lat1, lat2) + reach_lat
        west, east = min(lon1, lon2) - reach_lon, max(lon1, lon2) + reach_lon
        low = max(math.floor((south - grid.south) / grid.cell), 0)
        high = min(math.floor((north - grid.south) / grid.cell), grid.rows - 1)
        left = max(math.floor((west - grid.west) / grid.cell), 0)
        right = min(math.floor((east - grid.west) / grid.cell), grid.columns - 1)
        if left <= right:
            for row in range(low, high + 1):
                start = row * grid.columns
                for k in range(grid.starts[start + left], grid.starts[start + right + 1]):
                    place = grid.order[k]
                    if allowed.size and not allowed[place]:
                        continue
                    lon, lat = grid.lon[k], grid.lat[k]
                    if not (west <= lon <= east and south <= lat <= north):
                        continue
                    px = grid.cosine[k] * math.cos(lon * RADIANS)
                    py = grid.cosine[k] * math.sin(lon * RADIANS)
                    pz = math.sin(lat * RADIANS)
                    away, ahead = _from_step(px, py, pz, ax, ay, az, bx, by, bz)
                    metres = away * EARTH_RADIUS_M
                    if metres <= corridor_m and metres < distance[place]:
                        distance[place] = metres
                        place_along[place] = so_far + ahead * EARTH_RADIUS_M
        so_far += length
    return np.float64(so_far)
