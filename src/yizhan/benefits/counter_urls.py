"""Addresses of workers' meals, counters, merchants and vouchers."""

from django.urls import URLPattern, path

from .views import draw_pages, merchant_pages, phone_pages, voucher_pages, worker_pages

patterns: list[URLPattern] = [
    path("meals/", worker_pages.restaurants, name="meals"),
    path("meals/code/", worker_pages.code, name="my_code"),
    path("meals/mine/", worker_pages.mine, name="my_meals"),
    path("meals/mine/phones/<uuid:public_id>/block/", worker_pages.block_phone, name="block_phone"),
    path("meals/mine/appeals/<uuid:public_id>/", worker_pages.appeal_against, name="appeal"),
    path("meals/draws/", draw_pages.draws, name="draws"),
    path("meals/draws/<uuid:public_id>/enter/", draw_pages.enter_draw, name="enter_draw"),
    path("meals/tickets/<uuid:public_id>/", worker_pages.ticket, name="ticket"),
    path("meals/tickets/<uuid:public_id>/now/", worker_pages.ticket_now, name="ticket_now"),
    path("meals/at/<uuid:public_id>/", worker_pages.meals_at, name="meals_at"),
    path("meals/at/<uuid:public_id>/<uuid:offer_id>/", worker_pages.confirm, name="confirm_meal"),
    path("counter/", merchant_pages.counter, name="counter"),
    path("desk/merchant/", merchant_pages.merchants, name="merchants"),
    path("desk/merchant/<uuid:public_id>/", merchant_pages.merchant, name="merchant"),
    path("desk/merchant/<uuid:public_id>/people/", merchant_pages.join, name="counter_join"),
    path("desk/merchant/<uuid:public_id>/people/<uuid:post_id>/leave/", merchant_pages.leave, name="counter_leave"),
    path(
        "desk/merchant/<uuid:public_id>/people/<uuid:post_id>/password/",
        merchant_pages.new_password,
        name="counter_password",
    ),
    path("desk/phones/", phone_pages.phones, name="worker_phones"),
    path("desk/phones/<uuid:public_id>/block/", phone_pages.block_workers_phone, name="block_workers_phone"),
    path("desk/vouchers/", voucher_pages.batches, name="vouchers"),
    path("desk/vouchers/new/", voucher_pages.new, name="new_vouchers"),
    path("desk/vouchers/<uuid:public_id>/block/", voucher_pages.block, name="block_vouchers"),
]
