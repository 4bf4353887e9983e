"""What the operator sets from outside: every setting of an installation, read from `YIZHAN_*` variables.

Nothing here is secret by default: keys that are not given are made once and kept in `var/`, readable by their owner.
"""

import contextlib
import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from datetime import time
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[3]


class Environment(BaseSettings):
    """The installation's settings; `docs/operators/settings.md` explains each for operators."""

    model_config = SettingsConfigDict(env_prefix="YIZHAN_", env_file=None, extra="ignore")

    var: Path = Field(
        default_factory=lambda: PROJECT_ROOT / "var",
        description="Folder for all that is written: embedded database, keys, uploads, sockets",
    )
    base_url: HttpUrl = Field(
        default=HttpUrl("https://127.0.0.1:8000"),
        description="Public address; plain http is accepted only together with `insecure_http`",
    )
    insecure_http: bool = Field(default=False, description="Allow a plain http address: a demo on this machine")
    debug: bool = Field(default=False, description="Show programming errors in the browser; never in public")
    secret_key: SecretStr | None = Field(
        default=None, description="Signs sessions; without it one is kept in `var/keys`"
    )
    personal_data_keys: list[SecretStr] = Field(
        default_factory=list,
        description="Fernet keys of personal data, newest first (JSON list); without them one is kept in `var/keys`",
    )
    personal_data_index_key: SecretStr | None = Field(
        default=None, description="Key of the blind index over personal data; without it one is kept in `var/keys`"
    )
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    sms_backend: Literal["log", "aliyun", "tencent"] = Field(
        default="log", description="Who sends one-time codes; `log` writes them to the log"
    )
    sms_options: dict[str, str] = Field(default_factory=dict, description="Options of the SMS provider (JSON object)")
    payment_options: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Accounts through which workers pay their share by phone (JSON object of `wechat` and `alipay`); "
        "without one, workers pay at the merchant's till. Untested live",
    )
    cut_off_time: time = Field(
        default=time(2, 0), description="When the meals of a day are cut off for settlement, by the clock in Shanghai"
    )
    require_second_factor: bool = Field(
        default=True,
        description="Administrators and finance officers need an authenticator app or a passkey to reach the desk",
    )
    oidc_providers: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Single sign-on by OpenID Connect: JSON list of provider_id, name, client_id, secret, "
        "settings.server_url",
    )
    tianditu_key: str | None = Field(
        default=None, description="Key for Tianditu base-map tiles; without it the map shows our own shapes"
    )
    tianditu_review_number: str | None = Field(
        default=None, description="Map review number (审图号) to show with the tiles"
    )
    audit_retention_days: int = Field(
        default=366, ge=183, description="How long the audit trail is kept; the law asks for six months"
    )
    sample_data: Path = Field(
        default_factory=lambda: PROJECT_ROOT.parent / "shared" / "data",
        description="Folder of optional real data to try things on",
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token for /metrics from other machines; without it only this machine may read"
    )
    webhooks_to_private_addresses: bool = Field(
        default=False,
        description="Deliver to sources' and partners' addresses in private networks and by plain http, too; otherwise "
        "only to the public internet by https",
    )
    webhook_networks: list[IPvAnyNetwork] = Field(
        default_factory=list,
        description="Networks to which messages of sources and partners may go although they are not public, by plain "
        'http, too (JSON list such as `["10.20.0.0/16"]`)',
    )
    open_data_licence: str = Field(
        default="CC BY 4.0", description="Licence of the open data, as it is named to readers"
    )
    open_data_licence_url: HttpUrl = Field(
        default=HttpUrl("https://creativecommons.org/licenses/by/4.0/"), description="Where that licence can be read"
    )
    embed_sites: list[str] = Field(
        default_factory=lambda: ["*"],
        description='Sites that may show the embeddable map in a frame (JSON list such as `["https://example.cn"]`)',
    )
    email_url: SecretStr | None = Field(
        default=None,
        description="Mail server for lists that partners get by e-mail, such as "
        "`smtps://user:password@mail.example.cn`; without it none are sent, and the desk says so",
    )
    email_from: str = Field(default="yizhan@localhost", description="Sender of these e-mails")
    valhalla_configuration: Path | None = Field(
        default=None,
        description="Valhalla's own JSON file, for road times of rescue from map tiles (extra `valhalla`); without it "
        "they are reckoned from the straight line",
    )
    valhalla_costing: str = Field(default="motor_scooter", description="How Valhalla is to reckon the way of a rescuer")
    road_detour: float = Field(
        default=1.6, ge=1.0, le=5.0, description="How much longer ways by road are than the straight line"
    )
    road_speeds: dict[str, Annotated[float, Field(gt=0.5, lt=30)]] = Field(
        default_factory=dict,
        description="Metres per second of rescuers by vehicle, where they differ from ours (JSON object such as "
        '`{"e_bike": 4.6}`); `yizhan rescue calibrate` says them',
    )
    log_format: Literal["json", "console"] = Field(default="json", description="How a line of the log looks")

    @field_validator("base_url")
    @classmethod
    def _has_no_path(cls, value: HttpUrl) -> HttpUrl:
        if value.path not in (None, "", "/"):
            message = "must be an origin such as https://yizhan.example.cn, without a path"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _plain_http_is_asked_for(self) -> Self:
        if self.base_url.scheme == "http" and not self.insecure_http:
            message = (
                "a plain http address also needs YIZHAN_INSECURE_HTTP=1, so that nobody serves without TLS by mistake"
            )
            raise ValueError(message)
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers reach us through TLS."""
        return self.base_url.scheme == "https"

    @property
    def host(self) -> str:
        return urlsplit(str(self.base_url)).hostname or "127.0.0.1"

    @cached_property
    def keys(self) -> dict[str, str]:
        """Keys of this installation: from the environment where given, else from `var/keys/`, made at first use."""
        return {
            "secret_key": self._given(self.secret_key) or self._kept("secret_key", secrets.token_urlsafe(64)),
            "personal_data_key": self._kept("personal_data_key", urlsafe_b64encode(secrets.token_bytes(32)).decode())
            if not self.personal_data_keys
            else "",
            "personal_data_index_key": self._given(self.personal_data_index_key)
            or self._kept("personal_data_index_key", secrets.token_urlsafe(48)),
        }

    @property
    def all_personal_data_keys(self) -> list[str]:
        """Fernet keys, newest first: the first encrypts, all decrypt."""
        return [key.get_secret_value() for key in self.personal_data_keys] or [self.keys["personal_data_key"]]

    @staticmethod
    def _given(value: SecretStr | None) -> str:
        return value.get_secret_value() if value else ""

    def _kept(self, name: str, fresh: str) -> str:
        folder = self.var / "keys"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / name
        if not path.exists():
            # Written aside, then linked into place: of two processes that start at once, one makes the key
            # and both read it whole.
            descriptor, aside = tempfile.mkstemp(dir=folder)  # readable by the owner only
            with os.fdopen(descriptor, "w") as file:
                file.write(fresh)
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
            Path(aside).unlink()
        return path.read_text().strip()


environment = Environment()
