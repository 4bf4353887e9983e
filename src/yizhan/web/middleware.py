"""What the shell does around every request."""

from django.middleware.locale import LocaleMiddleware


class ChosenLanguageMiddleware(LocaleMiddleware):
    """The language that the reader chose; Chinese until then."""
