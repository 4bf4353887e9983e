"""Write the API's document beside the tests: `python -m tests.contract.write_snapshot`."""

import json
import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from yizhan.site.api import api

if __name__ == "__main__":
    text = json.dumps(api.get_openapi_schema(path_prefix="/api/"), ensure_ascii=False, indent=1)
    Path(__file__).with_name("openapi.json").write_text(text + "\n", encoding="utf-8")
