"""Hours in words, in both languages."""

import pytest
from django.utils import translation

from tests.places.conftest import shanghai
from yizhan.places.hours import in_words

NOON = shanghai(2026, 11, 24, 12)


@pytest.mark.parametrize(
    ("hours", "english", "chinese"),
    [
        ("08:00-22:00", "every day 08:00–22:00, open now, closes at 22:00", "每天 08:00–22:00，现在开放，22:00 关门"),
        ("24/7", "every day around the clock, open now", "每天 24 小时，现在开放"),
        (
            "Mo-Fr 08:30-12:00,14:00-18:00; PH closed",
            "Monday to Friday 08:30–12:00, 14:00–18:00; closed on public holidays, closed now, opens at 14:00",
            "周一至周五 08:30–12:00、14:00–18:00；法定节假日不开放，现在关门，14:00 开门",
        ),
        ("Sa-Su 10:00-16:00", "Saturday to Sunday 10:00–16:00, closed now, opens on 11/28 at 10:00",
         "周六至周日 10:00–16:00，现在关门，11月28日 10:00 开门"),
        ("02:00-04:00", "every day 02:00–04:00, closed now, opens tomorrow at 02:00",
         "每天 02:00–04:00，现在关门，明天 02:00 开门"),
        ('Mo-Fr unknown "工作日开放"; PH closed',
         "Monday to Friday times unknown (工作日开放); public holidays closed, open or not is unknown",
         "周一至周五 时间不详 （工作日开放）；法定节假日 不开放，是否开放不详"),
        ("Apr-Oct 06:00-22:00; Nov-Mar 07:00-20:00",
         "April to October 06:00–22:00; November to March 07:00–20:00, open now, closes at 20:00",
         "四月至十月 06:00–22:00；十一月至三月 07:00–20:00，现在开放，20:00 关门"),
        ("sunrise-sunset", "sunrise-sunset, open now, closes at 19:00", "sunrise-sunset，现在开放，19:00 关门"),
        ("", "Hours unknown", "开放时间不详"),
    ],
)  # fmt: skip
def test_hours_read_like_a_notice_on_the_door(hours: str, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert in_words(hours, NOON) == english
    with translation.override("zh-hans"):
        assert in_words(hours, NOON) == chinese
