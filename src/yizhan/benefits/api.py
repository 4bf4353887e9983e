"""Benefits over HTTP."""

from ninja import Router

from .counter_api import router as counter_router
from .engine_api import router as engine_router
from .money_api import router as money_router

router = Router(tags=["benefits"])
router.add_router("", counter_router)
router.add_router("", engine_router)
router.add_router("", money_router)
