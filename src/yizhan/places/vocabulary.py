"""The words for what a place may offer, known to every union; `seed` keeps the table in step with this list."""

from typing import Any

from django.utils.translation import get_language

# code, Chinese, English, icon
OFFER_KINDS: tuple[tuple[str, str, str, str], ...] = (
    ("water", "饮用水", "Drinking water", "droplet"),
    ("microwave", "微波炉", "Microwave", "microwave"),
    ("charging", "手机充电", "Phone charging", "plug"),
    ("battery_swap", "换电", "Battery swap", "battery"),
    ("rest", "休息", "Rest area", "sofa"),
    ("toilet", "卫生间", "Toilet", "toilet"),
    ("medicine_box", "急救药箱", "Medicine box", "medicine"),
    ("aed", "AED 除颤仪", "AED", "heart"),
    ("air_conditioning", "空调", "Air conditioning", "fan"),
    ("heating", "取暖", "Heating", "flame"),
    ("fridge", "冰箱", "Refrigerator", "fridge"),
    ("wifi", "无线网络", "Wi-Fi", "wifi"),
    ("umbrella", "雨伞", "Umbrellas", "umbrella"),
    ("sewing_kit", "针线包", "Sewing kit", "needle"),
    ("reading", "图书阅览", "Reading corner", "book"),
    ("shower", "淋浴", "Showers", "shower"),
    ("meal", "优惠用餐", "Meals at a discount", "bowl"),
    ("repair", "修车", "Vehicle repair", "wrench"),
    ("air_pump", "打气", "Air pump", "pump"),
    ("ebike_charging", "电动车充电", "E-bike charging", "bolt"),
    ("parking", "停车", "Parking", "parking"),
    ("nursing_room", "母婴室", "Nursing room", "baby"),
    ("legal_advice", "法律咨询", "Legal advice", "scales"),
    ("counselling", "心理疏导", "Counselling", "chat"),
)

# How files call them besides; a union's own words come first.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "water": ("饮水", "热水", "饮水机", "直饮水", "开水"),
    "microwave": ("微波", "热饭", "加热饭菜", "饭菜加热"),
    "charging": ("充电", "手机充电站", "充电设备", "充电插座"),
    "battery_swap": ("换电柜", "电池更换"),
    "rest": ("休息区", "休息座椅", "桌椅", "座椅", "歇脚"),
    "toilet": ("厕所", "洗手间", "公厕", "如厕"),
    "medicine_box": ("药箱", "急救箱", "急救包", "医药箱", "应急药箱", "应急药品", "药品"),
    "aed": ("除颤仪", "除颤器"),
    "air_conditioning": ("冷气", "纳凉", "避暑"),
    "heating": ("暖气", "供暖"),
    "fridge": ("冷藏", "冰柜"),
    "wifi": ("无线网", "免费wifi", "上网"),
    "umbrella": ("雨具", "爱心伞"),
    "sewing_kit": ("针线", "针线盒"),
    "reading": ("图书", "阅读", "书报", "书籍", "阅览"),
    "shower": ("洗澡", "沐浴"),
    "meal": ("用餐", "就餐", "餐饮"),
    "repair": ("维修", "修车工具", "车辆维修"),
    "air_pump": ("打气筒", "充气"),
    "ebike_charging": ("电瓶车充电", "电动自行车充电", "电动车充电桩"),
    "parking": ("停车位", "停车点"),
    "nursing_room": ("母婴", "哺乳室"),
    "legal_advice": ("法律援助", "法律服务"),
    "counselling": ("心理咨询", "心理服务"),
}


class Word:
    """The name of an offer that every union knows, in the reader's language at the moment it is shown."""

    def __init__(self, chinese: str, english: str) -> None:
        self.chinese, self.english = chinese, english

    def __str__(self) -> str:
        return self.english if (get_language() or "").startswith("en") else self.chinese


WORDS = {code: Word(chinese, english) for code, chinese, english, _icon in OFFER_KINDS}


def seed(model: Any) -> None:
    """Add the words that the table lacks; words that a union has changed or added are left alone."""
    known = set(model.objects.filter(union__isnull=True).values_list("code", flat=True))
    model.objects.bulk_create(
        [
            model(code=code, name_zh=zh, name_en=en, icon=icon, order=10 * (position + 1))
            for position, (code, zh, en, icon) in enumerate(OFFER_KINDS)
            if code not in known
        ],
        ignore_conflicts=True,
    )
