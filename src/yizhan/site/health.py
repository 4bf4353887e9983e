"""What machines ask about us: alive, ready, and the metrics."""

from ipaddress import ip_address
from secrets import compare_digest

import httpx
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: this process answers. Touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: the database answers, every migration is applied and the hot application has read what it needs;
    otherwise 503 that says what is missing."""
    checks = {"database": "ok", "migrations": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            checks["migrations"] = "pending"
    except DatabaseError:
        checks = {"database": "unreachable", "migrations": "unknown"}
    if settings.HOT_SOCKET:
        checks["hot"] = "ok" if _hot_is_ready(settings.HOT_SOCKET) else "starting"
    ready = set(checks.values()) == {"ok"}
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _hot_is_ready(socket: str) -> bool:
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket), timeout=2) as client:
        try:
            return client.get("http://hot/hot/readyz").status_code == 200
        except httpx.HTTPError:
            return False


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics of all processes: for this machine itself, or with the installation's metrics token."""
    if not (_from_this_machine(request) or _holds_token(request)):
        return HttpResponseNotFound()
    response: HttpResponse = ExportToDjangoView(request)
    return response


def _from_this_machine(request: HttpRequest) -> bool:
    addresses = [request.META.get("REMOTE_ADDR", ""), *request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    given = [address.strip() for address in addresses if address.strip()]

    def is_loopback(address: str) -> bool:
        try:
            return ip_address(address).is_loopback
        except ValueError:
            return False

    return bool(given) and all(is_loopback(address) for address in given)


def _holds_token(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and compare_digest(given.encode(), token.encode())
