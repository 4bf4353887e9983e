"""What people write into a spreadsheet, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yizhan.places.hours import HoursNotUnderstood, Weekly, read_hours, validate

UNDERSTOOD = {
    "周一至周五 8:30-18:00": "Mo-Fr 08:30-18:00",
    "周一至周五 08:30-12:00,13:00-17:30": "Mo-Fr 08:30-12:00,13:00-17:30",
    "24小时": "24/7",
    "24小时营业": "24/7",
    "全天": "24/7",
    "全年无休24小时": "24/7",
    "每天 00:00-24:00": "24/7",
    "早8点到晚6点": "08:00-18:00",
    "8-18点": "08:00-18:00",
    "8:00-12:00,14:30-18:00": "08:00-12:00,14:30-18:00",
    "上午8:30-12:00 下午2:30-6:00": "08:30-12:00,14:30-18:00",
    "8：00—22：00": "08:00-22:00",
    "营业时间：09:00~18:00": "09:00-18:00",
    "8.30-18.00": "08:30-18:00",
    "周一至周六：09:00-18:00": "Mo-Sa 09:00-18:00",
    "周一、三、五 9:00-17:00": "Mo,We,Fr 09:00-17:00",
    "周1-周5 9:00-17:00": "Mo-Fr 09:00-17:00",
    "08:30-17:30（周一至周五）": "Mo-Fr 08:30-17:30",
    "工作日8:30-17:30，节假日休息": "Mo-Fr 08:30-17:30; PH closed",
    "工作日 9:00-17:00，周末 10:00-16:00": "Mo-Fr 09:00-17:00; Sa-Su 10:00-16:00; PH closed",
    "每天8:00-20:00（法定节假日除外）": "08:00-20:00; PH closed",
    "周六、周日休息，周一至周五9点-17点半": "Mo-Fr 09:00-17:30; Sa-Su closed",
    "22:00-次日6:00": "22:00-06:00",
    "20:00-6:00": "20:00-06:00",
    "早上9点至晚上12点": "09:00-24:00",
    "Mo-Fr 9:00-17:00; PH off": "Mo-Fr 09:00-17:00; PH closed",
    "": "",
    "无": "",
    "不详": "",
}
REFUSED = [
    "8:00-6:00",  # until six in the evening, or in the morning?
    "9:00-9:00",
    "8:00-12:00,2:00-6:00",
    "25:00-26:00",
    "随时",
    "周一至周五 8:30-18:00 周三 9:00-10:00",
    "=HYPERLINK(1)",
    "8" * 300,
]


@pytest.mark.parametrize(("text", "syntax"), UNDERSTOOD.items())
def test_common_chinese_hours_are_understood(text: str, syntax: str) -> None:
    assert read_hours(text).syntax == syntax


@pytest.mark.parametrize("text", REFUSED)
def test_hours_that_can_mean_two_things_or_nothing_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(HoursNotUnderstood) as refusal:
        read_hours(text)
    assert refusal.value.reason


def test_days_without_times_are_kept_as_unknown_on_those_days_and_remarked() -> None:
    reading = read_hours("工作日开放")
    assert reading.syntax == 'Mo-Fr unknown "工作日开放"; PH closed'
    assert reading.remark


WORDS = st.sampled_from(
    ["周一", "周五", "至", "-", "工作日", "周末", "节假日", "休息", "除外", "8:00", "18:00", "8点", "半", "早", "晚",
     "下午", "、", "，", "；", " ", "24小时", "全天", "每天", "（", "）", "PH", "Mo-Fr",
     "off", '"', "[1]", "次日", "照常"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=60))
def test_whatever_is_written_is_understood_or_refused_but_never_stored_broken(text: str) -> None:
    try:
        syntax = read_hours(text).syntax
    except HoursNotUnderstood:
        return
    assert validate(syntax) == syntax


TIMES = st.integers(0, 24 * 60 - 2).flatmap(
    lambda start: st.integers(start + 1, 24 * 60 - 1).map(lambda end: (start, end))
)


@given(st.integers(0, 6), st.integers(0, 6), TIMES, st.sampled_from(["-", "~", "至", "—", " 到 "]))
def test_a_plain_range_of_days_and_times_means_exactly_that(
    first: int, last: int, times: tuple[int, int], dash: str
) -> None:
    start, end = (f"{minutes // 60}:{minutes % 60:02}" for minutes in times)
    days = {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    week = Weekly.parse(
        read_hours(f"周{'一二三四五六日'[first]}至周{'一二三四五六日'[last]} {start}{dash}{end}").syntax
    )
    assert week is not None
    assert [day for day in range(7) if week.days[day] == (times,)] == sorted(days)
    assert all(not week.days[day] for day in range(7) if day not in days)
