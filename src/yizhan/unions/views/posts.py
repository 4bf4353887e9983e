"""Posts on the desk: who holds which, and giving and taking them."""

from __future__ import annotations

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from import_export.fields import Field

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.desk import StaffRequest, desk_page
from yizhan.unions.errors import RuleBroken
from yizhan.unions.exports import ListResource, spreadsheet
from yizhan.unions.filters import PostFilter
from yizhan.unions.forms import NewPostForm, RoleForm
from yizhan.unions.models import Staff
from yizhan.unions.queries import people as queries
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import BOUND_ROLES, MANAGE_POSTS, SEE_POSTS, Role, policy
from yizhan.unions.services import people as services


class PostResource(ListResource):
    """The list of posts as it is taken home."""

    union = Field(attribute="union__name", column_name=gettext_lazy("Union"))
    person = Field(attribute="user__name", column_name=pgettext_lazy("person", "Name"))
    username = Field(attribute="user__username", column_name=gettext_lazy("User name"))
    role = Field(column_name=gettext_lazy("Role"))
    state = Field(column_name=gettext_lazy("State"))
    last_sign_in = Field(attribute="user__last_login", column_name=gettext_lazy("Last sign-in"))
    created_at = Field(attribute="created_at", column_name=gettext_lazy("Since"))

    def dehydrate_role(self, post: Staff) -> str:
        """The role's name in the reader's language."""
        return post.get_role_display()

    def dehydrate_state(self, post: Staff) -> str:
        """Whether the post is held."""
        return _("Active") if post.is_active else _("Taken away")


def _post(request: StaffRequest, public_id: UUID) -> Staff:
    found: Staff = get_object_or_404(queries.posts(for_staff=request.staff), public_id=public_id)
    return found


@require_safe
@desk_page(SEE_POSTS)
def posts(request: StaffRequest) -> HttpResponseBase:
    """All posts at and below the acting union."""
    narrowed = PostFilter(request.GET, queryset=queries.posts(for_staff=request.staff))
    return render(
        request,
        "unions/posts.html",
        {
            "filter": narrowed,
            "page": Paginator(narrowed.qs, 50).get_page(request.GET.get("page")),
            "may_manage": policy.holds(request.staff, MANAGE_POSTS),
        },
    )


@require_safe
@desk_page(SEE_POSTS)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """The same list as a spreadsheet."""
    narrowed = PostFilter(request.GET, queryset=queries.posts(for_staff=request.staff))
    response, count = spreadsheet(PostResource(), narrowed.qs, form=form, name="posts")
    record(request.staff, actions.POSTS_EXPORTED, union=request.staff.union, details={"rows": count, "form": form})
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@desk_page(MANAGE_POSTS)
def create(request: StaffRequest) -> HttpResponseBase:
    """A new post; shows the new person's one-time password once."""
    form = NewPostForm(request.POST or None, initial={"union": request.GET.get("union", request.staff.union.name)})
    if request.method == "POST" and form.is_valid():
        try:
            made, password = services.create_post(
                actor=request.staff,
                union=union_called(form.cleaned_data["union"], field="union", below=request.staff.union),
                role=Role(form.cleaned_data["role"]),
                username=form.cleaned_data["username"],
                name=form.cleaned_data["name"],
            )
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            return render(request, "unions/post_given.html", {"post": made, "password": password})
    return render(request, "unions/post_form.html", {"form": form})


@require_safe
@desk_page(SEE_POSTS)
def post(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """One post."""
    return _show(request, _post(request, public_id), RoleForm())


@require_POST
@desk_page(MANAGE_POSTS)
def change_role(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Another role."""
    found = _post(request, public_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            services.change_role(actor=request.staff, post=found, role=Role(form.cleaned_data["role"]))
        except RuleBroken as broken:
            broken.show_on(form)
        else:
            messages.success(request, _("The role has been changed."))
            return redirect("unions:post", found.public_id)
    return _show(request, found, form)


@require_POST
@desk_page(MANAGE_POSTS)
def deactivate(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Take the post away."""
    found = _post(request, public_id)
    try:
        services.deactivate_post(actor=request.staff, post=found)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The post has been taken away."))
    return redirect("unions:post", found.public_id)


@require_POST
@desk_page(MANAGE_POSTS)
def reactivate(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Give the post back."""
    found = _post(request, public_id)
    try:
        services.reactivate_post(actor=request.staff, post=found)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The post has been given back."))
    return redirect("unions:post", found.public_id)


@require_POST
@never_cache
@desk_page(MANAGE_POSTS)
def give_password(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """A new one-time password, shown once."""
    found = _post(request, public_id)
    try:
        password = services.give_password(actor=request.staff, post=found)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
        return redirect("unions:post", found.public_id)
    return render(request, "unions/post_given.html", {"post": found, "password": password, "again": True})


@require_POST
@desk_page(MANAGE_POSTS)
def remove_second_factors(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """Let the person set up second factors anew."""
    found = _post(request, public_id)
    try:
        services.remove_second_factors(actor=request.staff, post=found)
    except RuleBroken as broken:
        messages.error(request, str(broken.problems[0].message))
    else:
        messages.success(request, _("The second factors have been removed."))
    return redirect("unions:post", found.public_id)


def _show(request: StaffRequest, found: Staff, form: RoleForm) -> HttpResponseBase:
    if not form.is_bound:
        form.initial = {"role": found.role}
    return render(
        request,
        "unions/post.html",
        {
            "post": found,
            "form": form,
            "is_bound": found.role in BOUND_ROLES,
            "is_own": found.user_id == request.staff.user_id,
            "may_manage": policy.allows(request.staff, MANAGE_POSTS, found.union),
            "has_second_factor": Authenticator.objects.filter(user=found.user_id).exists(),
        },
    )
