"""Django settings. What differs between installations comes from `environment`; the rest is decided here."""

import logging
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from .environment import PROJECT_ROOT, environment
from .logs import logging_configuration

VAR = environment.var
SECRET_KEY = environment.keys["secret_key"]
DEBUG = environment.debug
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", environment.host]
BASE_URL = str(environment.base_url).rstrip("/")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Where the hot application listens, as `yizhan serve` tells its own processes; nobody else sets it.
HOT_SOCKET = os.environ.get("YIZHAN_HOT_SOCKET", "")

INSTALLED_APPS = [
    "yizhan.web",
    "yizhan.rescue",
    "yizhan.cases",
    "yizhan.benefits",
    "yizhan.feeds",
    "yizhan.passage",
    "yizhan.places",
    "yizhan.unions",
    "yizhan.site",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "import_export",
    "pgtrigger",
    "procrastinate.contrib.django",
    "treebeard",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "yizhan.web.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "yizhan.site.logs.RequestLogMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "yizhan.unions.middleware.ActingStaffMiddleware",
    "yizhan.site.problems.RefusalMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "yizhan.site.urls"
WSGI_APPLICATION = "yizhan.site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "yizhan.web.context_processors.shell",
            ],
        },
    },
]

# Database: an embedded PostgreSQL in var/, or any server by DATABASE_URL.
if environment.database_url:
    DATABASES = {"default": dj_database_url.parse(environment.database_url, conn_max_age=60, conn_health_checks=True)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "yizhan.site.embedded_postgresql",
            "NAME": "yizhan",
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"data_folder": str(VAR / "postgresql")},
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A cache that all worker processes share: log-in throttling counts there.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "site_cache"}}

# People
AUTH_USER_MODEL = "unions.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "yizhan.unions.sign_in.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "yizhan.unions.sign_in.forms.StaffSignInForm",
    "request_login_code": "yizhan.unions.sign_in.forms.PhoneSignInForm",
    "confirm_login_code": "yizhan.unions.sign_in.forms.SentCodeForm",
    "verify_phone": "yizhan.unions.sign_in.forms.PhoneProofForm",
    "change_password": "yizhan.unions.sign_in.forms.NewPasswordForm",
    "set_password": "yizhan.unions.sign_in.forms.FirstPasswordForm",
    "reauthenticate": "yizhan.unions.sign_in.forms.PasswordAgainForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "phone", "password1*"]  # which fields exist; the sign-up page itself is closed
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 300
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 300
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "request_login_code": "20/m/ip,1/30s/key,10/d/key",
    "verify_phone": "1/30s/key,10/d/key,10/m/ip",
}
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
CLIENT_ADDRESS_HEADER = "X-Client-Address"  # set by our own front door, whatever the client sent
MFA_ADAPTER = "yizhan.unions.sign_in.adapters.MfaAdapter"
MFA_FORMS = {
    "authenticate": "yizhan.unions.sign_in.forms.SecondFactorForm",
    "reauthenticate": "yizhan.unions.sign_in.forms.SecondFactorOnceMoreForm",
    "activate_totp": "yizhan.unions.sign_in.forms.NewAuthenticatorForm",
    "add_webauthn": "yizhan.unions.sign_in.forms.NewPasskeyForm",
    "edit_webauthn": "yizhan.unions.sign_in.forms.PasskeyNameForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not environment.secure
SOCIALACCOUNT_ADAPTER = "yizhan.unions.sign_in.adapters.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": environment.oidc_providers, "OAUTH_PKCE_ENABLED": True}}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "yizhan.unions.sessions"  # encrypted
SESSION_COOKIE_AGE = 14 * 24 * 3600
REQUIRE_SECOND_FACTOR = environment.require_second_factor
PERSONAL_DATA_KEYS = environment.all_personal_data_keys
PERSONAL_DATA_INDEX_KEY = environment.keys["personal_data_index_key"]
AUDIT_RETENTION_DAYS = environment.audit_retention_days
WEBHOOKS_TO_PRIVATE_ADDRESSES = environment.webhooks_to_private_addresses
_mail = urlsplit(environment.email_url.get_secret_value() if environment.email_url else "")
MAIL_IS_SET = bool(_mail.hostname)
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or (465 if _mail.scheme == "smtps" else 587)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp" and bool(_mail.username)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = environment.email_from
WEBHOOK_NETWORKS = [str(network) for network in environment.webhook_networks]
SMS_BACKEND = environment.sms_backend
SMS_OPTIONS = environment.sms_options
PAYMENT_OPTIONS = environment.payment_options
CUT_OFF_TIME = environment.cut_off_time

# Language and time
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# Files
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
MEDIA_ROOT = VAR / "media"
MEDIA_URL = "/media/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "yizhan.site.static_files.StaticFilesStorage"},
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Security
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = environment.secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = environment.secure
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if environment.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = environment.secure
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "yizhan.web.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "style-src-attr": ["'unsafe-inline'"],  # MapLibre places its markers and pop-ups by style attributes
        "img-src": [SELF, "data:", "blob:", "https://*.tianditu.gov.cn"],
        "connect-src": [SELF, "https://*.tianditu.gov.cn"],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# Map
TIANDITU_KEY = environment.tianditu_key
TIANDITU_REVIEW_NUMBER = environment.tianditu_review_number

# Open data
OPEN_DATA_LICENCE = environment.open_data_licence
OPEN_DATA_LICENCE_URL = str(environment.open_data_licence_url)
EMBED_SITES = environment.embed_sites

SAMPLE_DATA = environment.sample_data
VALHALLA_CONFIGURATION = environment.valhalla_configuration
VALHALLA_COSTING = environment.valhalla_costing
ROAD_DETOUR = environment.road_detour
ROAD_SPEEDS = environment.road_speeds
LOCALE_PATHS: list[Path] = []
FRONTEND_FOLDER = PROJECT_ROOT / "frontend"

# What machines and operators see
LOGGING = logging_configuration(environment.log_format)
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = "public_id"
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
METRICS_TOKEN = environment.metrics_token.get_secret_value() if environment.metrics_token else ""
PROMETHEUS_EXPORT_MIGRATIONS = False
