"""The parts of pages."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.utils.translation import override


class _Form(forms.Form):
    name = forms.CharField(label="名称", help_text="与站牌一致")
    open = forms.BooleanField(label="公开", required=False)
    services = forms.MultipleChoiceField(
        label="服务", choices=[("w", "饮水")], required=False, widget=forms.CheckboxSelectMultiple
    )


def rendered(source: str, path: str = "/", **values: Any) -> str:
    context = Context({"request": RequestFactory().get(path), **values})
    return Template("{% load design %}" + source).render(context)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_design_page_shows_every_part_in_both_languages(client: Client, db: None, language: str) -> None:
    client.cookies["django_language"] = language
    page = client.get("/design/").text
    for part in (
        "status-good",
        "filter-bar",
        "data-table",
        "pager",
        "empty",
        "field-error",
        "toast",
        "<dialog",
        "stat-",
    ):
        assert part in page


def test_an_error_stands_at_its_field_and_the_control_points_to_it() -> None:
    html = rendered("{% field form.name %}", form=_Form({"name": ""}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_help id_name_error"' in html
    assert 'id="id_name_error"' in html
    assert '<label class="field-label" for="id_name">' in html


def test_the_summary_links_to_every_wrong_field_by_its_label() -> None:
    with override("zh-hans"):
        html = rendered("{% fields form %}", form=_Form({"name": "", "services": ["x"]}))
    assert "有 2 处需要修改" in html
    assert '<a href="#id_name">名称</a>' in html


def test_choices_are_a_group_with_a_name() -> None:
    assert '<legend class="field-label">服务' in rendered("{% field form.services %}", form=_Form())


def test_a_misspelt_field_is_an_error_not_a_gap() -> None:
    with pytest.raises(TemplateSyntaxError, match="bound form field"):
        rendered("{% field form.nmae %}", form=_Form())


@pytest.mark.parametrize(
    "source", ['{% status "purple" "x" %}', '{% stat label="x" value=1 tone="loud" %}', '{% icon "harbour" %}']
)
def test_an_unknown_tone_or_drawing_is_named(source: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="is not one of"):
        rendered(source)


def test_what_users_wrote_is_escaped_everywhere() -> None:
    html = rendered(
        '{% page_header title=evil lead=evil %}{{ evil }}{% endpage_header %}{% status "good" evil %}'
        "{% stat label=evil value=evil note=evil %}{% breadcrumbs evil evil evil %}"
        "{% empty_state title=evil text=evil %}{{ evil }}{% endempty_state %}"
        '{% confirm id="x" action=evil button=evil title=evil destroys=evil %}{{ evil }}{% endconfirm %}'
        '{% words "w" one=evil %}',
        evil="<script>alert(1)</script>",
    )
    assert "<script>alert" not in html


def test_pages_keep_the_filters() -> None:
    page = Paginator(range(100), 20).get_page(2)
    html = rendered("{% pager page %}", "/list/?q=%E7%AB%99&page=2", page=page)
    assert "q=%E7%AB%99&amp;page=3" in html
    assert "q=%E7%AB%99&amp;page=1" in html


def test_a_question_before_destroying_says_what_and_posts_with_a_token() -> None:
    html = rendered(
        '{% confirm id="gone" action="/x/" button="删除" title="删除？" destroys="82 个驿站" %}{% endconfirm %}'
    )
    assert "82 个驿站" in html
    assert 'method="post" action="/x/"' in html
    assert "csrfmiddlewaretoken" in html
    assert 'popovertarget="gone"' in html, "it opens without script"


def test_the_way_back_is_shown_only_when_a_list_is_narrowed() -> None:
    source = "{% filter_bar %}x{% endfilter_bar %}"
    with override("zh-hans"):
        assert "清除条件" not in rendered(source, "/list/?page=3")
        assert "清除条件" in rendered(source, "/list/?q=x")
