"""Draw the app's icons from `icon.svg` with a headless Chromium: `python frontend/scripts/draw_icons.py [BROWSER]`.

The pictures are kept in the repository, so this runs only when the drawing changes.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ICONS = Path(__file__).resolve().parents[2] / "src" / "yizhan" / "web" / "static" / "web" / "icons"
# Name, pixels, share of the picture that the drawing fills, ground behind it.
PICTURES = (
    ("icon-180", 180, 1.0, "#b3211b"),
    ("icon-192", 192, 1.0, "transparent"),
    ("icon-512", 512, 1.0, "transparent"),
    ("icon-maskable-512", 512, 0.72, "#b3211b"),
)


def main() -> None:
    browser_path = sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium") or shutil.which("google-chrome")
    drawing = (ICONS / "icon.svg").read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for name, pixels, share, ground in PICTURES:
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            page.set_content(
                f"<style>*{{margin:0}}body{{background:{ground};display:grid;place-items:center;height:{pixels}px}}"
                f"svg{{width:{round(pixels * share)}px;display:block}}</style>{drawing}"
            )
            page.screenshot(path=ICONS / f"{name}.png", omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
