"""Addresses of the unions room."""

from django.urls import URLPattern, URLResolver, path

from .views import account, inbox, posts, trail, tree, workers

app_name = "unions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("me/", account.account, name="account"),
    path("desk/post/", account.choose_post, name="choose_post"),
    path("desk/inbox/", inbox.inbox, name="inbox"),
    path("desk/inbox/read/", inbox.mark_read, name="mark_read"),
    path("desk/inbox/<uuid:public_id>/", inbox.message, name="message"),
    path("desk/unions/", tree.unions, name="unions"),
    path("desk/unions/<uuid:public_id>/", tree.union, name="union"),
    path("desk/unions/<uuid:public_id>/new/", tree.create, name="create_union"),
    path("desk/unions/<uuid:public_id>/rename/", tree.rename, name="rename_union"),
    path("desk/unions/<uuid:public_id>/move/", tree.move, name="move_union"),
    path("desk/unions/<uuid:public_id>/deactivate/", tree.deactivate, name="deactivate_union"),
    path("desk/unions/<uuid:public_id>/reactivate/", tree.reactivate, name="reactivate_union"),
    path("desk/people/", posts.posts, name="posts"),
    path("desk/people/export/<str:form>/", posts.export, name="export_posts"),
    path("desk/people/new/", posts.create, name="create_post"),
    path("desk/people/<uuid:public_id>/", posts.post, name="post"),
    path("desk/people/<uuid:public_id>/role/", posts.change_role, name="change_role"),
    path("desk/people/<uuid:public_id>/deactivate/", posts.deactivate, name="deactivate_post"),
    path("desk/people/<uuid:public_id>/reactivate/", posts.reactivate, name="reactivate_post"),
    path("desk/people/<uuid:public_id>/password/", posts.give_password, name="give_password"),
    path("desk/people/<uuid:public_id>/second-factors/", posts.remove_second_factors, name="remove_second_factors"),
    path("desk/people/workers/", workers.workers, name="workers"),
    path("desk/people/workers/export/<str:form>/", workers.export, name="export_workers"),
    path("desk/people/workers/<uuid:public_id>/", workers.worker, name="worker"),
    path("desk/people/workers/<uuid:public_id>/unmask/", workers.unmask, name="unmask"),
    path("desk/audit/", trail.trail, name="audit"),
    path("desk/audit/export/<str:form>/", trail.export, name="export_audit"),
]
