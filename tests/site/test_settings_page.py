"""The operators' page of settings is made from the settings."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_settings_lists_the_settings_as_they_are() -> None:
    script = ROOT / "scripts" / "settings_page.py"
    made = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert (ROOT / "docs/en/operators/settings.md").read_text(encoding="utf-8") == made.stdout
