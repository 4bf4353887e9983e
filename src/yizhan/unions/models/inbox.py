"""What the system tells staff."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from yizhan.unions.identity import PubliclyIdentified

from .people import Staff


class InboxMessage(PubliclyIdentified, models.Model):
    """One message to one post. A message to a role is sent as one row to each who holds it."""

    post = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="messages")
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    link = models.CharField(_("link"), max_length=300, blank=True)
    sent_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(union="post__union__path__startswith")

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["post", "-sent_at"], name="inbox_post_sent"),
            models.Index(fields=["post"], name="inbox_unread", condition=models.Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return self.title
