"""The words for what a place may offer, known to every union; `seed` keeps the table in step with this list."""

from typing import Any

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
