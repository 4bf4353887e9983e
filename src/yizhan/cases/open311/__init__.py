"""Open311 GeoReport v2: existing clients file cases and follow them. Confidential kinds are not offered here."""
