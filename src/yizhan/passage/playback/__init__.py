"""A day played back in memory: what the kernel made of each vehicle's way, and why no reminder where there was none.

Positions come in with the request, are judged, shown, and gone with the answer: nothing here writes them anywhere.
"""
