"""What the stream counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

BATCHES = Counter("passage_batches_total", "Batches of pings by outcome", ["outcome"])
PINGS = Counter("passage_pings_total", "Pings taken and left out", ["result"])
REPEATED = Counter("passage_batches_repeated_total", "Batches that were answered as they were before")
REMINDERS = Counter("passage_reminders_total", "Reminders that went out")
WRITTEN = Counter("passage_reminders_written_total", "Reminders written to the log")
DROPPED = Counter("passage_reminders_dropped_total", "Reminders that never reached the log", ["reason"])
WRITE_FAILURES = Counter("passage_write_failures_total", "Failed attempts to write the log; each is tried again")
WAITING = Gauge("passage_reminders_waiting", "Reminders that wait to be written", multiprocess_mode="livesum")
SUBSCRIBERS = Gauge("passage_live_subscribers", "Open live streams", multiprocess_mode="livesum")
EVENTS_DROPPED = Counter("passage_live_events_dropped_total", "Live events that slow subscribers missed")
STATIONS = Gauge("passage_stations", "Stations that remind", multiprocess_mode="livemax")
VEHICLES = Gauge("passage_vehicles", "Vehicles in memory", multiprocess_mode="livemax")
REBUILDS = Counter("passage_rebuilds_total", "Times that stations or keys were read anew", ["outcome"])
COMMIT_SECONDS = Histogram(
    "passage_commit_seconds",
    "Seconds that a commit to the reminder log took",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
BATCH_SECONDS = Histogram(
    "passage_batch_seconds",
    "Seconds from a batch's arrival to its answer",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
DELIVERIES = Counter("passage_deliveries_total", "Reminders on their way to sources' addresses", ["outcome"])
DELIVERY_SECONDS = Histogram(
    "passage_delivery_seconds",
    "Seconds that a receiver took to answer",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DELIVERIES_WAITING = Gauge(
    "passage_deliveries_waiting", "Reminders that wait for delivery", multiprocess_mode="livemax"
)
DEAD_LETTERS = Gauge("passage_dead_letters", "Reminders whose delivery was given up", multiprocess_mode="livemax")
PARTITIONS = Gauge("passage_partitions", "Partitions that this worker is pinned to", multiprocess_mode="livesum")
NOTICES = Counter("passage_notices_total", "Reminders on their way to phones", ["outcome"])
