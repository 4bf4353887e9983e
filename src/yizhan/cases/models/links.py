"""Who of the staff is whose contact: lower unions (对口联系), workers, chat groups (进群); targets; hand-overs."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from yizhan.unions.encryption import EncryptedTextField
from yizhan.unions.identity import PubliclyIdentified
from yizhan.unions.models import Staff, Union, Worker


class LinkKind(models.TextChoices):
    """With whom a post is linked."""

    UNION = "union", _("Lower union")
    WORKER = "worker", pgettext_lazy("link", "Worker")
    GROUP = "group", _("Chat group")


class GroupApp(models.TextChoices):
    """Where a chat group lives."""

    WECHAT = "wechat", _("WeChat")
    WECOM = "wecom", _("WeCom")
    DINGTALK = "dingtalk", _("DingTalk")
    QQ = "qq", _("QQ")
    OTHER = "other", _("Another app")


LARGEST_GROUP = 5_000


class Link(PubliclyIdentified, models.Model):
    """One post is the contact of one lower union, worker or chat group, from one day to another.

    A worker may have contacts at several levels, never twice the same post. The post changes only when a hand-over is
    accepted; who had it before stands in the hand-over.
    """

    post = models.ForeignKey(
        Staff, on_delete=models.PROTECT, related_name="links", verbose_name=pgettext_lazy("person", "contact")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=LinkKind)
    linked_union = models.ForeignKey(
        Union, on_delete=models.PROTECT, null=True, related_name="contacts", verbose_name=_("lower union")
    )
    worker = models.ForeignKey(
        Worker,
        on_delete=models.PROTECT,
        null=True,
        related_name="contacts",
        verbose_name=pgettext_lazy("link", "worker"),
    )
    group_name = models.CharField(_("name of the group"), max_length=80, blank=True)
    group_app = models.CharField(_("app"), max_length=10, choices=GroupApp, blank=True)
    group_size = models.PositiveIntegerField(_("members of the group"), null=True)
    group_counted_on = models.DateField(_("counted on"), null=True)
    began_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_reason = models.CharField(_("why it ended"), max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=1)

    objects = ScopedManager(union="post__union__path__startswith")

    class Meta:
        verbose_name = pgettext_lazy("worker", "link")
        verbose_name_plural = _("links")
        indexes = [
            models.Index(fields=["post", "kind"], name="link_by_post", condition=Q(ended_at=None)),
            # The order of the list, which would otherwise be sorted anew for each of its pages.
            models.Index(F("ended_at").desc(nulls_first=True), "post", "kind", "id", name="link_in_order"),
            models.Index(fields=["worker"], name="link_by_worker", condition=Q(ended_at=None)),
            models.Index(fields=["linked_union"], name="link_by_union", condition=Q(ended_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind=LinkKind.UNION, linked_union__isnull=False, worker__isnull=True, group_name="", group_size=None
                )
                | Q(
                    kind=LinkKind.WORKER,
                    linked_union__isnull=True,
                    worker__isnull=False,
                    group_name="",
                    group_size=None,
                )
                | (
                    Q(kind=LinkKind.GROUP, linked_union__isnull=True, worker__isnull=True, group_size__isnull=False)
                    & ~Q(group_name="")
                    & Q(group_size__range=(1, LARGEST_GROUP), group_counted_on__isnull=False)
                ),
                name="link_has_one_end",
            ),
            models.UniqueConstraint(
                fields=["post", "linked_union"], condition=Q(ended_at=None), name="link_with_a_union_once"
            ),
            models.UniqueConstraint(
                fields=["post", "worker"], condition=Q(ended_at=None), name="link_with_a_worker_once"
            ),
            models.UniqueConstraint(
                fields=["post", "group_app", "group_name"],
                condition=Q(ended_at=None, kind=LinkKind.GROUP),
                name="link_with_a_group_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("began_at")), name="link_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cases:link", args=[self.public_id])

    @property
    def name(self) -> str:
        """Whom the post is linked with."""
        if self.kind == LinkKind.UNION and self.linked_union:
            return self.linked_union.name
        if self.kind == LinkKind.WORKER and self.worker:
            return str(self.worker)
        return self.group_name


class LinkTarget(models.Model):
    """How many links each post of a union and those below shall have; the nearest union that says so holds."""

    union = models.OneToOneField(Union, on_delete=models.PROTECT, related_name="link_target", verbose_name=_("union"))
    units = models.PositiveSmallIntegerField(_("lower unions"))
    workers = models.PositiveSmallIntegerField(pgettext_lazy("link", "workers"))
    groups = models.PositiveSmallIntegerField(_("chat groups"), default=0)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="union__path__startswith")

    class Meta:
        verbose_name = _("target of links")
        verbose_name_plural = _("targets of links")
        constraints = [
            models.CheckConstraint(
                condition=Q(units__lte=200, workers__lte=500, groups__lte=100), name="link_target_can_be_reached"
            )
        ]

    def __str__(self) -> str:
        return f"{self.union}: {self.units}/{self.workers}/{self.groups}"


class ContactCard(models.Model):
    """What a post lets its workers see: the number only when whoever holds the post chose so."""

    post = models.OneToOneField(Staff, on_delete=models.PROTECT, related_name="contact_card")
    phone = EncryptedTextField(_("phone"), blank=True, default="")  # E.164
    shows_phone = models.BooleanField(_("shown to my workers"), default=False)
    hours = models.CharField(_("when to reach me"), max_length=80, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager(union="post__union__path__startswith")

    class Meta:
        verbose_name = _("contact card")
        verbose_name_plural = _("contact cards")

    def __str__(self) -> str:
        return str(self.post)


class LinkMessage(PubliclyIdentified, models.Model):
    """One message between a worker and their contact; stored encrypted, since it may hold anything."""

    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="messages")
    post = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")  # None: the worker wrote
    text = EncryptedTextField(_("text"))
    at = models.DateTimeField(auto_now_add=True)
    request_id = models.UUIDField(editable=False)

    objects = ScopedManager(union="link__post__union__path__startswith")

    class Meta:
        verbose_name = _("message to a contact")
        verbose_name_plural = _("messages to contacts")
        indexes = [models.Index(fields=["link", "-at"], name="link_message_by_time")]
        constraints = [models.UniqueConstraint(fields=["link", "request_id"], name="link_message_counted_once")]

    def __str__(self) -> str:
        return f"{self.link} {self.at:%Y-%m-%d %H:%M}"


class HandOverState(models.TextChoices):
    """Where a hand-over stands."""

    PENDING = "pending", _("Waiting for an answer")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Taken back")


class HandOver(PubliclyIdentified, models.Model):
    """Links that shall pass from one post to another. Nothing moves until the other accepts."""

    from_post = models.ForeignKey(
        Staff, on_delete=models.PROTECT, related_name="links_given", verbose_name=pgettext_lazy("hand-over", "from")
    )
    to_post = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="links_offered", verbose_name=_("to"))
    state = models.CharField(_("state"), max_length=10, choices=HandOverState, default=HandOverState.PENDING)
    reason = models.CharField(_("reason"), max_length=300)
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")  # None: the operator
    asked_at = models.DateTimeField(_("offered at"))
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("answered at"), null=True)
    answer = models.CharField(_("answer"), max_length=300, blank=True)

    objects = ScopedManager(union="from_post__union__path__startswith")

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        indexes = [models.Index(fields=["to_post"], name="hand_over_pending", condition=Q(state=HandOverState.PENDING))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state=HandOverState.PENDING, decided_at=None)
                | (~Q(state=HandOverState.PENDING) & Q(decided_at__isnull=False)),
                name="hand_over_is_answered_once",
            ),
            models.CheckConstraint(condition=~Q(from_post=models.F("to_post")), name="hand_over_goes_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.from_post.user} → {self.to_post.user}"

    def get_absolute_url(self) -> str:
        return reverse("cases:hand_over", args=[self.public_id])


class HandOverItem(models.Model):
    """One link of a hand-over. While it is open, the link is in no other."""

    hand_over = models.ForeignKey(HandOver, on_delete=models.PROTECT, related_name="items")
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="hand_overs")
    is_open = models.BooleanField(default=True)
    moved = models.BooleanField(default=False)
    # Why it did not move although the hand-over was accepted: it had ended, or the receiver had that link already.
    remark = models.CharField(max_length=200, blank=True)

    objects = ScopedManager(union="hand_over__from_post__union__path__startswith")

    class Meta:
        verbose_name = _("link handed over")
        verbose_name_plural = _("links handed over")
        constraints = [
            models.UniqueConstraint(fields=["link"], condition=Q(is_open=True), name="link_in_one_hand_over"),
            models.UniqueConstraint(fields=["hand_over", "link"], name="hand_over_names_a_link_once"),
            models.CheckConstraint(condition=~Q(is_open=True, moved=True), name="hand_over_item_moves_when_answered"),
        ]

    def __str__(self) -> str:
        return str(self.link)
