# SPDX-License-Identifier: GPL-2.0
"""From what the programs in the guest have written to the entries of results.json.

An entry compares a value of ours with a peer's, both of runs of the same boot.
"""

import math
import re
import statistics

from entries import NoFigures, entry as _entry

LEAD_TIMES = 10         # how many times sooner than the peer we have to be
WHO_TIMES = 20
PRECOPY_TIMES = 20      # how many times shorter a program has to stand still
NOISE_MAX = 0.1         # with more than that, nothing is said of the overhead
LEAD_RUNS = 20          # fewest runs that say something
LINEAR_MAX = 1.5        # how much more a buffer may cost among many than among few


def _lines(path):
    if not path.exists():
        raise NoFigures(f"{path} is missing")
    return path.read_text().splitlines()


def _rows(path):
    return [[int(word) for word in line.split()] for line in _lines(path)]


# --- when a departure is known -----------------------------------------------

def _begins(path):
    """(ns, PCI address, us until the event was sent) of each departure, from the trace."""
    found, begin = [], None
    for line in _lines(path):
        match = re.search(r" (\d+)\.(\d{6}): (egpu_\w+): (?:.*address=(\S+))?", line)
        if not match:
            continue
        time = int(match[1] + match[2])
        if match[3] == "egpu_leave_begin":
            begin = (time, match[4])
        elif begin:
            found.append((begin[0] * 1000, begin[1], time - begin[0]))
            begin = None
    return found


def _stamps(path):
    """(ns, what) of each thing that a listener had in its hands."""
    pairs = [line.split(" ", 1) for line in _lines(path) if line != "ready"]
    return [(int(time), what) for time, what in pairs]


def _delay(begin, end, address, stamps, who):
    for time, what in stamps:
        if begin <= time < end and address in what.split("/"):
            return (time - begin) / 1000
    raise NoFigures(f"{who} has not seen {address} leave")


def _lead(folder, kind):
    begins = _begins(folder / f"{kind}-trace")
    ours, theirs = (_stamps(folder / f"{kind}-{who}") for who in ("egpu", "uevent"))
    ends = [begin[0] for begin in begins[1:]] + [math.inf]
    delays = [(_delay(begin, end, address, ours, "our subscriber"),
               _delay(begin, end, address, theirs, "the listener on uevents"))
              for (begin, address, _), end in zip(begins, ends)]
    entry = _entry(f"event_lead_{kind}", "us", [our for our, _ in delays],
                   "kernel's remove uevent of the DRM device", [their for _, their in delays])
    entry["first_in"] = sum(our < their for our, their in delays)
    entry["until_sent"] = statistics.median(sent for _, _, sent in begins)
    entry["least_ratio"] = round(min(their / our for our, their in delays), 3)
    entry["limit"] = LEAD_TIMES
    entry["met"] = (entry["ratio"] >= LEAD_TIMES and entry["first_in"] == entry["runs"] and
                    entry["runs"] >= LEAD_RUNS)
    return entry


def event_lead(folder):
    return [_lead(folder, kind) for kind in ("surprise", "graceful")]


# --- many subscribers --------------------------------------------------------

def fanout(folder):
    one = [row[0] / 1e6 for row in _rows(folder / "fanout-1")]
    many, theirs = ([row[column] / 1e6 for row in _rows(folder / "fanout-1000")]
                    for column in (0, 1))
    against_one = _entry("fanout_1000", "ms", many, "1 subscriber, times 1,000",
                         [1000 * value for value in one])
    against_one["one_subscriber"] = round(statistics.median(one), 3)
    return [against_one,
            _entry("fanout_1000_uevent", "ms", many, "1,000 listeners on a uevent", theirs)]


# --- what it costs who only uses his GPU --------------------------------------

def idle_overhead(folder):
    # The least of a phase's times is that in which nothing else ran.
    phases = [(line.split()[0], min(int(word) for word in line.split()[1:]) / 1e6)
              for line in _lines(folder / "idle")]
    times = {kind: [time for name, time in phases if name == kind]
             for kind in ("with", "without")}
    other = [time / next_time if kind == "without" else next_time / time
             for (kind, time), (_, next_time) in zip(phases, phases[1:])]
    same = [abs(time / next_time - 1)
            for (_, time), (_, next_time) in zip(phases, phases[2:])]
    entry = _entry("idle_overhead", "ms", times["with"], "the same loop without the module",
                   times["without"])
    # Of neighbours only, so that what else changes with time does not count.
    entry["ratio"] = round(statistics.median(other), 4)
    entry["noise"] = round(statistics.median(same), 4)
    entry["met"] = 1 - entry["ratio"] <= entry["noise"] <= NOISE_MAX
    return [entry]


# --- who uses a GPU ----------------------------------------------------------

def who_uses_it(folder):
    runs = _rows(folder / "clients")
    entry = _entry("who_uses_it", "us", [run[0] / 1000 for run in runs],
                   "scan of /proc/*/fdinfo", [run[1] / 1000 for run in runs])
    entry["clients"] = runs[0][2]
    entry["limit"] = WHO_TIMES
    entry["met"] = entry["ratio"] >= WHO_TIMES
    return [entry]


# --- taking a GPU away from who uses it ----------------------------------------

CURVE = (1, 10, 100, 1000, 2500, 5000, 10000)


def _quiesced(folder, clients, buffers):
    """Runs of so many clients and buffers each: (us in all, us that the kernel drained)."""
    runs = _rows(folder / f"quiesce-{clients}x{buffers}")
    if any(run[2:] != [clients, clients * buffers] for run in runs):
        raise NoFigures(f"not all saw {clients} clients with {buffers} buffers each")
    return [run[0] / 1000 for run in runs], [run[1] / 1000 for run in runs]


def _per_buffer(points, low, high):
    """ns that a buffer costs between two points of the curve."""
    return 1000 * (points[high] - points[low]) / (high - low)


def quiesce_idle(folder):
    times, drains = _quiesced(folder, 64, 40)
    one, _ = _quiesced(folder, 1, 1)
    # The sleep between two looks ends with a tick, which hides a look in the least of the
    # runs; over many runs it does not.
    points = {buffers: statistics.median(_quiesced(folder, 1, buffers)[1]) for buffers in CURVE}
    entry = _entry("quiesce_idle_64x40", "us", times, "1 client with 1 buffer", one)
    entry["drain"] = round(statistics.median(drains), 3)
    # Between its two looks a drain sleeps, which has nothing to do with buffers.
    entry["per_buffer"] = round(_per_buffer(points, 1, 10000), 1)
    entry["curve"] = {str(buffers): round(us, 1) for buffers, us in points.items()}
    few, many = _per_buffer(points, 100, 2500), _per_buffer(points, 2500, 10000)
    entry["per_buffer_few"], entry["per_buffer_many"] = round(few, 1), round(many, 1)
    entry["linear"] = round(many / few, 3)
    entry["met"] = entry["linear"] <= LINEAR_MAX
    return [entry]


def stop_time(folder):
    ours, theirs = ([row[0] / 1e6 for row in _rows(folder / f"stop-{how}")]
                    for how in ("eject", "unbind"))
    calm = [row[1] / 1e6 for row in _rows(folder / "stop-eject")]
    entry = _entry("stop_time_graceful", "ms", ours, "sysfs unbind and restart of the client",
                   theirs)
    entry["calm"] = round(statistics.median(calm), 3)
    return [entry]


def stop_time_precopy(folder):
    ours, theirs = ([row[0] / 1e6 for row in _rows(folder / f"still-{how}")]
                    for how in ("precopy", "full"))
    entry = _entry("stop_time_precopy", "ms", ours, "the same without copies made before",
                   theirs)
    entry["limit"] = PRECOPY_TIMES
    entry["met"] = entry["ratio"] >= PRECOPY_TIMES
    return [entry]


READERS = {
    "event-lead": event_lead,
    "fanout": fanout,
    "idle-overhead": idle_overhead,
    "quiesce-idle": quiesce_idle,
    "stop-time": stop_time,
    "stop-time-precopy": stop_time_precopy,
    "who-uses-it": who_uses_it,
}


# --- for people --------------------------------------------------------------

def _remark(entry):
    words = []
    if "limit" in entry:
        words.append(f"at least {entry['limit']}")
    if "first_in" in entry:
        words.append(f"first in {entry['first_in']} of {entry['runs']}")
    if "noise" in entry:
        words.append(f"noise {entry['noise']:.4f}")
    if "linear" in entry:
        words.append(f"{entry['per_buffer']:.0f} ns a buffer, linear {entry['linear']:.2f}")
    if "bytes" in entry:
        words.append(f"{entry['bytes'] / entry['full_bytes']:.4f} of its bytes")
    if "idle" in entry:
        words.append(f"idle {entry['idle']}")
    if "reduced" in entry:
        words.append(entry["reduced"])
    if "met" in entry:
        words.append("met" if entry["met"] else "MISSED")
    return ", ".join(words)


WHERE = ("machine", "emulation", "kernel")


def show(entries):
    """Print the table; how many limits are missed."""
    where = None
    for entry in entries:
        if where != [entry[key] for key in WHERE]:
            where = [entry[key] for key in WHERE]
            print("\n" + "; ".join(where))
            print(f"{'name':24} {'value':>10} {'peer':>10} unit {'ratio':>8} {'runs':>4} "
                  f"{'spread':>6}  ")
        if "skipped" in entry:
            print(f"{entry['name']:24} skipped: {entry['skipped']}")
            continue
        print(f"{entry['name']:24} {entry['value']:10.1f} {entry['peer_value']:10.1f} "
              f"{entry['unit']:4} {entry['ratio']:8.3f} {entry['runs']:4} "
              f"{entry['spread']:6.3f}  {_remark(entry)}")
        print(f"{'':24} against: {entry['peer']}")
    return sum(not entry.get("met", True) for entry in entries)
