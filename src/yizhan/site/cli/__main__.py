"""`python -m yizhan.site.cli`: the command line where its script is not on the path."""

from .main import main

main()
