"""The passage kernel: pings of vehicles against circles of stations, reminders out."""

from yizhan.geo.passage.explain import Reason, Verdict, explain
from yizhan.geo.passage.kernel import PassageKernel
from yizhan.geo.passage.reminders import Reminders
from yizhan.geo.passage.stations import PassageParameters, Stations

__all__ = ["PassageKernel", "PassageParameters", "Reason", "Reminders", "Stations", "Verdict", "explain"]
