"""Why an answer was slow: what was seen in the time between its intended start and its end."""
import dataclasses

SLOW_US = 5000
JOIN_S = 0.01  # slow tenths of a second that follow each other are one event
ROLL_S = 1.0  # a turn of the business day has its consequences for so long
CLOCK_FACTOR = 4  # more expiries and retirements than usually
QUEUED_MOST_US = 8000  # between two samples: so much is a cause of any latency
QUEUED_SHARE = 0.3  # of the latency: so much of it in a core's queue is a cause


@dataclasses.dataclass
class Outlier:
    begin: float  # seconds since the run began: when the slowest was meant to start, at the latest
    end: float
    longest_us: int
    measured: list = dataclasses.field(default_factory=list)
    during: list = dataclasses.field(default_factory=list)

    @property
    def cause(self):
        text = ", ".join(self.measured) or ("" if self.during else "not explained")
        return text + (" during " * bool(text) + ", ".join(self.during) if self.during else "")


def slow(series):
    """Outliers of a series: rows with t_s and max_us, tenths of a second."""
    found = []
    for row in series:
        at, longest = float(row["t_s"]), int(row["max_us"])
        if longest <= SLOW_US:
            continue
        begin, end = at - longest / 1e6, at + 0.1
        if found and begin <= found[-1].end + JOIN_S:
            last = found[-1]
            last.begin, last.end = min(begin, last.begin), end
            last.longest_us = max(last.longest_us, longest)
        else:
            found.append(Outlier(begin, end, longest))
    return found


def _around(samples, begin, end):
    """The samples of a time, and one on either side of it."""
    first = max((i for i, s in enumerate(samples) if s[0] <= begin), default=0)
    last = min((i for i, s in enumerate(samples) if s[0] >= end), default=len(samples) - 1)
    return samples[first:last + 1]


def _queued(outlier, samples):
    """Who stood in a core's queue, and for how many us between two samples at most."""
    worst = {}
    for one, two in zip(samples, samples[1:]):
        for role, value in two[1].items():
            worst[role] = max(worst.get(role, 0), value - one[1].get(role, value))
    least = min(max(outlier.longest_us * QUEUED_SHARE, 1500), QUEUED_MOST_US)
    return sorted(role for role, us in worst.items() if us >= least)


def _grown(samples, name):
    """Roles whose counter grew, and by how much over all."""
    if len(samples) < 2:
        return [], 0
    first, last = samples[0][1], samples[-1][1]
    grown = {role: last[role][name] - first[role][name] for role in last
             if role in first and name in last[role]}
    return sorted(role for role, by in grown.items() if by > 0), sum(grown.values())


def explain(outlier, scheduler, counters, roll_s, clock_rate):
    """Times of the samples are seconds since the run began; clock_rate: effects of time a second
    as they usually are."""
    near = _around(counters, outlier.begin, outlier.end)
    ticks = _around(scheduler, outlier.begin, outlier.end)
    queued = _queued(outlier, ticks)
    if queued:
        outlier.measured.append("no core for " + " and ".join(queued))
    if len(ticks) > 1 and ticks[-1][2] > ticks[0][2]:
        outlier.measured.append(f"the machine was stolen {(ticks[-1][2] - ticks[0][2]) * 10} ms")
    for name, what in (("appends_slow", "a slow append of "), ("turns_slow", "a slow turn of ")):
        roles, _ = _grown(near, name)
        if roles:
            outlier.measured.append(what + " and ".join(roles))
    if roll_s is not None and outlier.begin <= roll_s + ROLL_S and outlier.end >= roll_s:
        outlier.during.append("the turn of the business day")
    if any(stats.get("snapshot_running") for _, found in near for stats in found.values()) \
            or _grown(near, "snapshots")[1]:
        outlier.during.append("a snapshot")
    if _grown(near, "segments")[1]:
        outlier.during.append("a change of segment")
    if len(near) > 1:
        rate = _grown(near, "clock")[1] / max(near[-1][0] - near[0][0], 0.01)
        if rate > clock_rate * CLOCK_FACTOR + 1000:
            outlier.during.append("a storm of expiries or retirements")
    return outlier


def usual_clock_rate(counters):
    rates = []
    for one, two in zip(counters, counters[1:]):
        rates.append(_grown([one, two], "clock")[1] / max(two[0] - one[0], 0.01))
    return sorted(rates)[len(rates) // 2] if rates else 0


def grouped(outliers):
    """[(cause, how many, longest us)], the most first."""
    found = {}
    for outlier in outliers:
        count, longest = found.get(outlier.cause, (0, 0))
        found[outlier.cause] = (count + 1, max(longest, outlier.longest_us))
    return sorted(((cause, *values) for cause, values in found.items()),
                  key=lambda row: (-row[1], row[0]))
