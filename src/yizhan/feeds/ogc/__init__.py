"""OGC API – Features, part 1 (core, GeoJSON, HTML, OpenAPI 3.0), so that QGIS and GDAL read the directory directly."""
