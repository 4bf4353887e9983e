"""Messages to addresses that somebody else chose: where they may go, how they are signed, how long they are tried.

Several rooms send such messages. What is sent, to whom, and what becomes of the answer is theirs.
"""

from .addresses import Reach, is_public, problem_of, reach_of_this_installation
from .patience import LONGEST_ASKED_S, PAUSES_S, pause_s
from .receivers import Answer, Receivers
from .signing import headers, new_key_pair, new_secret, sign

__all__ = [
    "LONGEST_ASKED_S",
    "PAUSES_S",
    "Answer",
    "Reach",
    "Receivers",
    "headers",
    "is_public",
    "new_key_pair",
    "new_secret",
    "pause_s",
    "problem_of",
    "reach_of_this_installation",
    "sign",
]
