"""Yizhan 驿站: the platform with which trade unions run their service stations."""
