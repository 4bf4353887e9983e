"""How people sign in, on django-allauth: workers by phone and code, staff by password and second factor."""
