"""The directory as human services: Open Referral HSDS 3.0.

A union is an organization; a place is a location; what unions offer is a service of theirs ("drinking water of the
union of Zhengzhou"), and an offer of a place is that service at that location.
"""
