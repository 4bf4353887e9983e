"""The front door: Caddy's configuration, which gives each address to the process that answers it.

Caddy holds the one public port, TLS, compression and static files. Hot look-ups go to the ASGI application,
all else to Django; both listen on sockets in `var/run`, which no other machine can reach.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

HOT_PATHS = (
    "/api/places/nearest",
    "/api/places/search",
    "/api/places/in-box",
    "/api/places/along-route",
    "/api/places/index.json",
    "/api/pings",
    "/api/pings/*",
    "/api/live/*",
)

# Of the same application, but worth compressing: large, and read by programs.
FEED_PATHS = (
    "/api/feeds/feeds.json",
    "/api/feeds/places.geojson",
    "/api/feeds/places.csv",
    "/api/feeds/places.json",
    "/api/feeds/status.json",
    "/api/feeds/changes",
)

COMPRESSED_TYPES = (
    "text/*",
    "application/json*",
    "application/geo+json*",
    "application/problem+json*",
    "application/ld+json*",
    "application/javascript*",
    "application/manifest+json*",
    "application/xml*",
    "application/atom+xml*",
    "application/vnd.oai.openapi+json*",
    "image/svg+xml*",
)
CLIENT_ADDRESS_HEADER = "X-Client-Address"
PRIVATE_RANGES = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fd00::/8"]


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """Where the front door listens and what stands behind it."""

    host: str
    port: int
    names: tuple[str, ...]
    tls: bool
    django_socket: Path
    hot_socket: Path
    static_root: Path
    media_root: Path
    state_folder: Path
    behind_proxy: bool = False

    def configuration(self) -> dict[str, Any]:
        """Caddy's JSON configuration."""
        server: dict[str, Any] = {
            "listen": [f"{self.host}:{self.port}"],
            "routes": self._routes(),
            "errors": {
                "routes": [
                    {"match": [{"expression": "{http.error.status_code} >= 502"}], "handle": [_starting_up()]},
                    {"handle": [{"handler": "static_response", "status_code": "{http.error.status_code}"}]},
                ]
            },
            # Redirects from plain http need port 80, which belongs to the usual https port only.
            "automatic_https": {"disable": not self.tls, "disable_redirects": self.port != 443},
        }
        if self.behind_proxy:
            # What the proxy before us says of client and scheme is believed when it stands in a private network.
            # Read from the right: what stands to the left of the first stranger is only the client's own claim.
            server["trusted_proxies"] = {"source": "static", "ranges": PRIVATE_RANGES}
            server["trusted_proxies_strict"] = 1
        application: dict[str, Any] = {"http": {"servers": {"yizhan": server}}}
        if self.tls:
            server["tls_connection_policies"] = [{}]
            application["tls"] = {"automation": {"policies": [self._certificate_policy()]}}
            server["routes"] = [
                {"match": [{"host": list(self.names)}], "handle": [{"handler": "subroute", "routes": self._routes()}]}
            ]
        return {
            "admin": {"disabled": True, "config": {"persist": False}},
            # What fails is logged with the request: address, position in the query and headers are personal data.
            "logging": {
                "logs": {
                    "default": {
                        "level": "WARN",
                        "encoder": {
                            "format": "filter",
                            "wrap": {"format": "json"},
                            "fields": {"request": {"filter": "delete"}},
                        },
                    }
                }
            },
            "storage": {"module": "file_system", "root": str(self.state_folder)},
            "apps": application,
        }

    def _certificate_policy(self) -> dict[str, Any]:
        """Public names get certificates by ACME; names of this machine get one from Caddy's own authority."""
        if all(_is_local(name) for name in self.names):
            return {"subjects": list(self.names), "issuers": [{"module": "internal"}]}
        return {"subjects": [name for name in self.names if not _is_local(name)]}

    def _routes(self) -> list[dict[str, Any]]:
        compress = {
            "handler": "encode",
            "encodings": {"zstd": {}, "gzip": {}},
            "prefer": ["zstd", "gzip"],
            "minimum_length": 512,
            # Types that Caddy does not know to be text by itself.
            "match": {"headers": {"Content-Type": list(COMPRESSED_TYPES)}},
        }
        static = {
            "handler": "file_server",
            "root": str(self.static_root),
            "index_names": [],
            "precompressed": {"br": {}, "gzip": {}},
            "precompressed_order": ["br", "gzip"],
        }
        # Names of gathered and built files carry a hash of their content: what has such a name never changes.
        hashed = [{"path_regexp": {"pattern": r"(\.[0-9a-f]{12}\.|-[0-9A-Za-z_-]{8}\.)[^/]+$"}}]
        keep = {
            "handler": "subroute",
            "routes": [
                {"handle": [_cache("public, max-age=300")]},
                {"match": hashed, "handle": [_cache("public, max-age=31536000, immutable")]},
            ],
        }
        # Photos of places, written by us as JPEG: nothing else in the folder of uploads is served from here, and what
        # is served can be nothing but a picture, whatever its bytes. There is no listing of the folder.
        photos = {
            "match": [{"path_regexp": {"pattern": r"^/media/places/[0-9a-f]{2}/[0-9a-f]{32}\.jpg$"}}],
            "handle": [
                {"handler": "rewrite", "strip_path_prefix": "/media"},
                {
                    "handler": "headers",
                    "response": {
                        "set": {
                            "Content-Type": ["image/jpeg"],
                            "X-Content-Type-Options": ["nosniff"],
                            "Content-Security-Policy": ["default-src 'none'; sandbox"],
                            "Cross-Origin-Resource-Policy": ["same-origin"],
                            "Cache-Control": ["public, max-age=86400"],
                        }
                    },
                },
                {"handler": "file_server", "root": str(self.media_root), "index_names": []},
            ],
            "terminal": True,
        }
        return [
            photos,
            {
                "match": [{"path": ["/media/*"]}],
                "handle": [{"handler": "static_response", "status_code": 404}],
                "terminal": True,
            },
            {
                "match": [{"path": ["/static/*"]}],
                "handle": [{"handler": "rewrite", "strip_path_prefix": "/static"}, keep, static],
                "terminal": True,
            },
            {
                "match": [{"path": list(FEED_PATHS)}],
                "handle": [compress, _proxy(self.hot_socket)],
                "terminal": True,
            },
            {
                "match": [{"path": list(HOT_PATHS)}],
                # Events are passed on as they come, uncompressed.
                "handle": [_proxy(self.hot_socket, flush_interval=-1)],
                "terminal": True,
            },
            {"handle": [compress, _proxy(self.django_socket)], "terminal": True},
        ]

    def write(self, path: Path) -> None:
        """Write the configuration to `path`."""
        path.write_text(json.dumps(self.configuration(), indent=1), encoding="utf-8")


def _cache(value: str) -> dict[str, Any]:
    return {"handler": "headers", "response": {"set": {"Cache-Control": [value]}}}


def _proxy(socket: Path, **options: Any) -> dict[str, Any]:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"unix/{socket}"}],
        # While workers restart, requests wait instead of failing.
        "load_balancing": {"try_duration": 5_000_000_000, "try_interval": 100_000_000},
        # The address that throttling and the audit trail go by; whatever a client claims here is overwritten.
        "headers": {"request": {"set": {CLIENT_ADDRESS_HEADER: ["{http.vars.client_ip}"]}}},
        **options,
    }


def _starting_up() -> dict[str, Any]:
    return {
        "handler": "static_response",
        "status_code": 503,
        "headers": {"Retry-After": ["5"], "Content-Type": ["text/plain; charset=utf-8"]},
        "body": "服务正在启动，请稍候再试。 The service is starting; please try again in a moment.\n",
    }


def _is_local(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return not ip_address(name).is_global
    except ValueError:
        return False
