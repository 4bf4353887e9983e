"""Settings of the test suite: the installation's own, but for its folder, plain http and quick password hashes."""

import os
from pathlib import Path

os.environ.setdefault("YIZHAN_VAR", str(Path(__file__).resolve().parents[1] / "var" / "test"))
os.environ.setdefault("YIZHAN_INSECURE_HTTP", "1")
os.environ.setdefault("YIZHAN_BASE_URL", "http://testserver")
os.environ.setdefault("YIZHAN_LOG_FORMAT", "console")

from yizhan.site.settings import *  # noqa: F403
from yizhan.site.settings import STORAGES, VAR

VAR.mkdir(parents=True, exist_ok=True)
(VAR / "static").mkdir(exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Names without hashes: tests need no gathering of static files first.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
