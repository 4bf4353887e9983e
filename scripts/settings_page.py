"""Write the operators' page of settings: `python scripts/settings_page.py > docs/en/operators/settings.md`."""

from yizhan.site.environment import Environment

HEAD = """# Settings

Every setting comes from the environment; the defaults are safe for a public installation. This page is made from the
code (`scripts/settings_page.py`), and a test holds the two together.

| variable | default | meaning |
| --- | --- | --- |
| `DATABASE_URL` | embedded PostgreSQL in `var/` | Any PostgreSQL ≥ 15 |
"""


def page() -> str:
    """The page's Markdown."""
    lines = []
    for name, field in Environment.model_fields.items():
        if name == "database_url":
            continue
        default = "" if field.default is None or field.default_factory else f"`{field.default}`"
        lines.append(f"| `YIZHAN_{name.upper()}` | {default} | {field.description or ''} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
