"""The tables of the change sequence, and the triggers that feed it.

They stand on tables of the rooms below, which know nothing of this room. Each runs once a statement, not once a row, so
that an import of many places pays little. Only places that are public, or were, count; columns that nobody outside ever
sees do not. The names of columns are looked up when a trigger runs: migrations of those tables are not in its way.
"""

import django.db.models.deletion
from django.db import migrations, models

# Written by daily rounds and of no interest to anyone outside.
_HIDDEN = "ARRAY['stale_told_at', 'told']"

_PLACE = f"""
CREATE FUNCTION feeds_place_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO feeds_placetouch (place_id)
        SELECT id FROM rows_after WHERE published_at IS NOT NULL ORDER BY id;
    ELSE
        INSERT INTO feeds_placetouch (place_id)
        SELECT a.id FROM rows_after a JOIN rows_before b ON a.id = b.id
        WHERE (a.published_at IS NOT NULL OR b.published_at IS NOT NULL)
            AND to_jsonb(a) - {_HIDDEN} IS DISTINCT FROM to_jsonb(b) - {_HIDDEN}
        ORDER BY a.id;
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('feeds_touched', '');
    END IF;
    RETURN NULL;
END $$;
"""

# What hangs at a place: one function for all such tables.
_PART = f"""
CREATE FUNCTION feeds_part_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO feeds_placetouch (place_id)
        SELECT DISTINCT p.id FROM rows_after a JOIN places_place p ON p.id = a.place_id
        WHERE p.published_at IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO feeds_placetouch (place_id)
        SELECT DISTINCT p.id FROM rows_before b JOIN places_place p ON p.id = b.place_id
        WHERE p.published_at IS NOT NULL;
    ELSE
        INSERT INTO feeds_placetouch (place_id)
        SELECT DISTINCT p.id FROM rows_after a JOIN rows_before b ON a.id = b.id
            JOIN places_place p ON p.id IN (a.place_id, b.place_id)
        WHERE p.published_at IS NOT NULL
            AND to_jsonb(a) - {_HIDDEN} IS DISTINCT FROM to_jsonb(b) - {_HIDDEN};
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('feeds_touched', '');
    END IF;
    RETURN NULL;
END $$;
"""

# A union's name stands beside each of its places, and its place in the tree decides whose filters find them.
_UNION = """
CREATE FUNCTION feeds_union_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO feeds_placetouch (place_id)
    SELECT DISTINCT p.id FROM rows_after a JOIN rows_before b ON a.id = b.id
        JOIN places_place p ON a.id IN (p.union_id, p.host_id, p.operator_id, p.funder_id)
    WHERE p.published_at IS NOT NULL AND (a.name, a.path, a.is_active) IS DISTINCT FROM (b.name, b.path, b.is_active);
    IF FOUND THEN
        PERFORM pg_notify('feeds_touched', '');
    END IF;
    RETURN NULL;
END $$;
"""

_WORD = """
CREATE FUNCTION feeds_word_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO feeds_placetouch (place_id)
    SELECT DISTINCT p.id FROM rows_after a JOIN rows_before b ON a.id = b.id
        JOIN places_offer o ON o.kind_id = a.id JOIN places_place p ON p.id = o.place_id
    WHERE p.published_at IS NOT NULL AND (a.code, a.name_zh, a.name_en) IS DISTINCT FROM (b.code, b.name_zh, b.name_en);
    IF FOUND THEN
        PERFORM pg_notify('feeds_touched', '');
    END IF;
    RETURN NULL;
END $$;
"""

_TABLES = {
    "places_place": ("feeds_place_changed", ("INSERT", "UPDATE")),
    "places_offer": ("feeds_part_changed", ("INSERT", "UPDATE", "DELETE")),
    "places_equipment": ("feeds_part_changed", ("INSERT", "UPDATE", "DELETE")),
    "places_closure": ("feeds_part_changed", ("INSERT", "UPDATE", "DELETE")),
    "places_placephoto": ("feeds_part_changed", ("INSERT", "UPDATE", "DELETE")),
    "unions_union": ("feeds_union_changed", ("UPDATE",)),
    "places_offerkind": ("feeds_word_changed", ("UPDATE",)),
}
_REFERENCING = {
    "INSERT": "REFERENCING NEW TABLE AS rows_after",
    "UPDATE": "REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after",
    "DELETE": "REFERENCING OLD TABLE AS rows_before",
}


def _creation() -> str:
    """SQL that makes all functions and triggers."""
    triggers = [
        f"CREATE TRIGGER feeds_touch_{operation.lower()} AFTER {operation} ON {table} {_REFERENCING[operation]} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
        for table, (function, operations) in _TABLES.items()
        for operation in operations
    ]
    return "\n".join([_PLACE, _PART, _UNION, _WORD, *triggers])


def _removal() -> str:
    """SQL that takes them away."""
    triggers = [
        f"DROP TRIGGER IF EXISTS feeds_touch_{operation.lower()} ON {table};"
        for table, (_function, operations) in _TABLES.items()
        for operation in operations
    ]
    functions = [f"DROP FUNCTION {function};" for function in dict.fromkeys(name for name, _ops in _TABLES.values())]
    return "\n".join([*triggers, *functions])


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("places", "0005_points_are_whole"),
        ("unions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlaceTouch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place_id", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "touch of a place",
                "verbose_name_plural": "touches of places",
            },
        ),
        migrations.CreateModel(
            name="PlaceChange",
            fields=[
                ("sequence", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(unique=True)),
                ("at", models.DateTimeField()),
                (
                    "gone",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not gone"),
                            ("closed", "closed for good"),
                            ("withdrawn", "not public for the time being"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("union_path", models.CharField(max_length=255)),
                ("lon", models.FloatField(null=True)),
                ("lat", models.FloatField(null=True)),
                ("facts", models.TextField(blank=True)),
                (
                    "place",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="change",
                        to="places.place",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a place",
                "verbose_name_plural": "changes of places",
                "indexes": [
                    models.Index(condition=models.Q(("gone", "")), fields=["lon", "lat"], name="change_by_position"),
                    models.Index(fields=["at"], name="change_by_time"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("gone", ""),
                                ("lat__isnull", False),
                                ("lon__isnull", False),
                                models.Q(("facts", ""), _negated=True),
                            ),
                            models.Q(
                                ("facts", ""),
                                ("gone__in", ["closed", "withdrawn"]),
                                ("lat__isnull", True),
                                ("lon__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="change_is_of_a_place_or_of_its_end",
                    )
                ],
            },
        ),
        migrations.RunSQL(_creation(), _removal()),
    ]
