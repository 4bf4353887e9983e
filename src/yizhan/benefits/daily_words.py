"""The word and colour of the day at a counter: the cashier sees them beside the till, a live ticket carries them.

They change at midnight in Shanghai and are another pair at each place, so that yesterday's recording of a ticket, or
one from next door, is seen to be wrong at a glance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac

# Things that everyone can name; none of them belongs to a season or a festival.
WORDS: Final = (
    "白鹭", "石榴", "竹林", "黄河", "灯塔", "麦田", "骆驼", "荷花", "雪松", "海豚", "风筝", "茶壶",
    "彩虹", "银杏", "月牙", "鲤鱼", "算盘", "瀑布", "草莓", "大雁", "铜锣", "葡萄", "渔船", "梅花",
    "熊猫", "扁担", "星星", "苹果", "木马", "蜻蜓", "雨伞", "核桃", "孔雀", "棉花", "钟楼", "菠萝",
    "骏马", "水车", "橘子", "喜鹊",
)  # fmt: skip
COLOURS: Final = ("red", "green", "blue", "amber", "violet", "teal")


@dataclass(frozen=True, slots=True)
class DailyWord:
    """`word` is said as it is in every language; `colour` is one of `COLOURS`."""

    word: str
    colour: str


def daily_word(place: UUID, day: date) -> DailyWord:
    """Of a place on a day in Shanghai."""
    digest = salted_hmac("yizhan.benefits.daily_words", f"{place.hex}{day:%Y%m%d}", algorithm="sha256").digest()
    return DailyWord(WORDS[digest[0] % len(WORDS)], COLOURS[digest[1] % len(COLOURS)])
