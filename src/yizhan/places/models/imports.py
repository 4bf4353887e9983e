"""Files that were read into the directory."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Union

from .place import DatumChoice


class ImportRun(PubliclyIdentified, models.Model):
    """One file that was read into the directory: its digest tells when the same file comes again."""

    union = models.ForeignKey(Union, on_delete=models.PROTECT, related_name="place_imports")
    digest = models.CharField(_("SHA-256 of file and reading"), max_length=64)
    file_name = models.CharField(_("file name"), max_length=200)
    datum = models.CharField(_("datum"), max_length=10, choices=DatumChoice, blank=True)
    created = models.PositiveIntegerField(_("places created"))
    changed = models.PositiveIntegerField(_("places changed"))
    unchanged = models.PositiveIntegerField(_("places unchanged"))
    refused = models.PositiveIntegerField(_("rows refused"))
    flagged = models.PositiveIntegerField(_("rows flagged"))
    at = models.DateTimeField(_("time"), auto_now_add=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.UniqueConstraint(fields=["union", "digest"], name="place_file_imported_once"),
        ]

    def __str__(self) -> str:
        return self.file_name
