"""Django's PostgreSQL backend on the embedded server: starts it when the first connection is asked for."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from .server import connection_parameters, ensure_database


class DatabaseWrapper(base.DatabaseWrapper):
    """As `django.db.backends.postgresql`, but host and port come from the server in `OPTIONS["data_folder"]`."""

    def get_connection_params(self) -> dict[str, Any]:
        options = dict(self.settings_dict["OPTIONS"])
        data_folder = Path(options.pop("data_folder"))
        found = connection_parameters(data_folder)
        name = self.settings_dict["NAME"] or "postgres"
        if name != "postgres" and not name.startswith("test_"):
            ensure_database(data_folder, name)
        saved = self.settings_dict
        self.settings_dict = {
            **saved,
            "HOST": found.get("host", ""),
            "PORT": found.get("port", ""),
            "USER": found.get("user", ""),
            "PASSWORD": found.get("password", ""),
            "OPTIONS": options,
        }
        try:
            return super().get_connection_params()
        finally:
            self.settings_dict = saved
