"""The Django application, as Granian's WSGI workers load it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
application = get_wsgi_application()
