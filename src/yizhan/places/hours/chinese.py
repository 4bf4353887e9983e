"""Hours as people write them in a Chinese spreadsheet, brought into the syntax when they can mean only one thing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .syntax import DAYS, HoursNotUnderstood, validate
from .weekly import Weekly, clock, day_runs

MAXIMUM_TEXT = 200
_NOON, _DAY_END = 12, 24
LONGEST_NIGHT = 16 * 60  # minutes: a span over midnight that is longer is a 12-hour clock misread


@dataclass(frozen=True, slots=True)
class HoursReading:
    """What the text says in the syntax (empty: nothing), and a remark when it does not say all."""

    syntax: str
    remark: str = ""


_ROUND_THE_CLOCK = re.compile(
    r"(?:每天|每日|全年|全天候?|24\s*(?:小时|h|hours?)|昼夜|不打烊|无休|00?:00-24:00|00?:00-23:59|开放|营业|服务)+",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"^(?:未知|不详|不明|待定|无|暂无|-+|/|n/?a|null|none|)$", re.IGNORECASE)
_FILLER = re.compile(r"(?:开放时间|营业时间|服务时间|开放|营业|服务|时间|为|:(?=\D)|[()\[\]。])")
_NUMBER = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 6}
_NUMBER |= {str(n + 1): n for n in range(7)}
_NAME = r"(?:[一二三四五六日天]|[1-7](?![\d:点时]))"
_DAY = rf"(?:周|星期|礼拜){_NAME}"
_DAYS = re.compile(
    rf"^(?:{_DAY}(?:\s*[-,]\s*(?:{_DAY}|[一二三四五六日天](?!\d)))*|每天|每日|全周|工作日|平日|双休日|周末|周六日"
    r"|法定节假日|节假日|法定假日|节日)"
)
_HOLIDAY_RULE = re.compile(
    r"[,;\s]*(?:国家)?(?:法定)?(?:节假日|假日|节日)(?P<what>除外|休息|不开放|不营业|关闭|闭馆|照常|正常|不休)(?:开放|营业)?"
)
_CLOSED = re.compile(r"^(?:休息|不开放|不营业|关闭|闭馆|休)")
_PART = r"(?P<part{n}>凌晨|清晨|早上|早晨|早|上午|中午|午间|下午|傍晚|晚上|晚间|晚|夜间|夜里|夜|次日|第二天|翌日)?"
_CLOCK = (
    r"(?P<hour{n}>\d{{1,2}})(?:[:.](?P<minute{n}>\d{{2}})"
    r"|[点时](?:(?P<half{n}>半)|(?P<quarter{n}>一刻|三刻)|(?P<min{n}>\d{{1,2}})分?|整)?)"
)
_SPAN = re.compile(
    r"^\s*" + (_PART + r"\s*" + _CLOCK).format(n=1) + r"\s*-+\s*" + (_PART + r"\s*" + _CLOCK).format(n=2) + r"(?![\d:])"
)
_LATE = {"下午", "傍晚", "晚上", "晚间", "晚", "夜间", "夜里", "夜"}
_NEXT_DAY = {"次日", "第二天", "翌日"}


def read_hours(text: str) -> HoursReading:
    """The hours that a cell of a spreadsheet tells.

    Understands the syntax itself and the usual Chinese: 周一至周五 8:30-18:00, 24小时, 早8点到晚6点,
    8:00-12:00,14:30-18:00, 工作日 9:00-17:00，周末 10:00-16:00，法定节假日除外.

    Raises:
        HoursNotUnderstood: it is none of these, or could mean two things; the reason says which.
    """
    original = text.strip()
    if _UNKNOWN.match(original):
        return HoursReading("")
    if len(original) > MAXIMUM_TEXT:
        raise HoursNotUnderstood(original[:40], _("Hours are longer than %(n)d characters.") % {"n": MAXIMUM_TEXT})
    try:
        try:
            syntax = validate(original)
        except HoursNotUnderstood:
            return _read_chinese(original)
        week = Weekly.parse(syntax)
        for times in {*(week.days if week else ()), *((week.holidays,) if week and week.holidays else ())}:
            _refuse_if_ambiguous(times, original)
        return HoursReading(syntax)
    except _Unclear as unclear:
        raise HoursNotUnderstood(original, unclear.reason) from unclear


class _Unclear(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _read_chinese(original: str) -> HoursReading:
    text = unicodedata.normalize("NFKC", original)
    text = re.sub(r"[~～—–−－―‐‑]+|至|到", "-", text)
    text = re.sub(r"[、，;；|/\n\r\t]+|和|及", ",", text)
    text = re.sub(r"(\d{1,2})-(\d{1,2})([点时])(?!\d)", r"\1\3-\2\3", re.sub(r"\s+", " ", text).strip(" ,。"))
    holidays: str | None = None
    if match := _HOLIDAY_RULE.search(text):
        holidays = "" if match["what"] in {"照常", "正常", "不休"} else "closed"
        text = (text[: match.start()] + "," + text[match.end() :]).strip(" ,")
    text = text.strip("()")
    if _ROUND_THE_CLOCK.fullmatch(re.sub(r"[\s,()]", "", text)) and re.search(r"24|全天|昼夜|不打烊|00:00", text):
        rule = "24/7"
        return HoursReading(validate(rule if not holidays else f"{rule}; PH closed"))
    return _read_rules(_FILLER.sub(" ", text).strip(" ,"), original, holidays)


def _read_rules(text: str, original: str, holidays: str | None) -> HoursReading:
    week: dict[int, str] = {}
    remark = ""
    while text:
        days, on_holidays, workdays, text = _read_days(text)
        spans, text = _read_spans(text, original)
        if spans and not days and not on_holidays and _DAYS.fullmatch(text.strip()):
            days, on_holidays, workdays, text = _read_days(text.strip())  # “08:30-17:30（周一至周五）”
        if spans:
            times = ",".join(f"{clock(a)}-{clock(b)}" for a, b in spans)
        elif _CLOSED.match(text):
            times, text = "closed", _CLOSED.sub("", text, count=1)
        elif not text.strip(" ,") and (days or on_holidays):
            times = f'unknown "{original.replace(chr(34), "")}"'
            remark = _("The hours say on which days, but not at what time.")
        else:
            raise _Unclear(
                _("“%(text)s” is not understood; write it like “周一至周五 08:30-18:00”.") % {"text": original}
            )
        if on_holidays:
            holidays = times
        else:
            for day in days or range(7):
                if day in week:
                    raise _Unclear(_("“%(text)s” gives two times for the same day.") % {"text": original})
                week[day] = times
        if workdays and holidays is None:
            holidays = "closed"
        text = text.lstrip(" ,")
    return HoursReading(_as_syntax(week, holidays), remark)


def _read_days(text: str) -> tuple[list[int], bool, bool, str]:
    """The days at the start: weekdays, whether public holidays, whether working days were meant, and the rest."""
    days: list[int] = []
    on_holidays = workdays = False
    while match := _DAYS.match(text):
        word = match.group()
        if word in {"每天", "每日", "全周"}:
            days.extend(range(7))
        elif word in {"工作日", "平日"}:
            days.extend(range(5))
            workdays = True
        elif word in {"双休日", "周末", "周六日"}:
            days.extend((5, 6))
        elif "节" in word or "假" in word:
            on_holidays = True
        else:
            for item in word.split(","):
                found = [_NUMBER[mark] for mark in re.findall(r"[一二三四五六日天1-7]", item)]
                days.extend((found[0] + step) % 7 for step in range((found[-1] - found[0]) % 7 + 1))
        text = text[match.end() :]
        if _DAYS.match(text.lstrip(" ,")):
            text = text.lstrip(" ,")
    if days and on_holidays:
        raise _Unclear(_("Write the hours on public holidays on their own, after the others."))
    return sorted(set(days)), on_holidays, workdays, text.lstrip(" ,:")


def _read_spans(text: str, original: str) -> tuple[list[tuple[int, int]], str]:
    spans: list[tuple[int, int]] = []
    while match := _SPAN.match(text):
        start = _minutes(match, 1, original)
        end = _minutes(match, 2, original)
        next_day = match["part2"] in _NEXT_DAY
        if end <= start and match["part1"] in _LATE and not match["part2"] and end + _NOON * 60 > start:
            end += _NOON * 60  # “下午2:30-6:00”
        if end <= start:
            end += 24 * 60
        if not next_day:
            _refuse_if_ambiguous([*spans, (start, end)], original)
        spans.append((start, end))
        text = text[match.end() :].lstrip(" ,")
    return spans, text


def _refuse_if_ambiguous(spans: Sequence[tuple[int, int]], original: str) -> None:
    """Times without 上午 or 下午 that only make sense by the 12-hour clock: 8:00-6:00, or 8:00-12:00,2:00-6:00."""
    before = 0
    for start, end in spans:
        if start < before or (end > 24 * 60 and end - start > LONGEST_NIGHT):
            raise _Unclear(
                _("“%(text)s” can mean two things; write the hours by the 24-hour clock.") % {"text": original}
            )
        before = end


def _minutes(match: re.Match[str], n: int, original: str) -> int:
    part = match[f"part{n}"]
    hour = int(match[f"hour{n}"])
    minute = int(match[f"minute{n}"] or match[f"min{n}"] or 0)
    if match[f"half{n}"]:
        minute = 30
    if match[f"quarter{n}"]:
        minute = 15 if match[f"quarter{n}"] == "一刻" else 45
    late = part in _LATE or (part in {"中午", "午间"} and hour < 3)
    if late and hour < _NOON:
        hour += _NOON
    elif part in {"晚", "晚上", "夜", "夜间", "夜里"} and hour == _NOON:
        hour = _DAY_END
    if hour * 60 + minute > _DAY_END * 60 or minute > 59:
        raise _Unclear(_("“%(text)s” names a time that no clock shows.") % {"text": original})
    return hour * 60 + minute


def _as_syntax(week: dict[int, str], holidays: str | None) -> str:
    """Days with the same times in one rule; every day's times without days."""
    rules: list[str] = []
    for times in dict.fromkeys(week[day] for day in sorted(week)):
        days = [day for day in sorted(week) if week[day] == times]
        ranges = ",".join(DAYS[a] if a == b else f"{DAYS[a]}-{DAYS[b]}" for a, b in day_runs(days))
        rules.append(times if len(days) == 7 else f"{ranges} {times}")
    if holidays == "":
        usual = week.get(0) or next(iter(week.values()), "")
        if len(week) < 7 and usual:
            rules.append(f"PH {usual}")
    elif holidays:
        rules.append(f"PH {holidays}")
    return validate("; ".join(rules))
