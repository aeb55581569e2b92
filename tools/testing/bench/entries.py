# SPDX-License-Identifier: GPL-2.0
"""An entry of results.json: a value of ours and a peer's, medians of runs taken in turns.

spread is the distance of the quartiles of our runs, as a share of the median.
"""

import statistics


class NoFigures(Exception):
    """What a program left is not what was expected."""


class Skip(Exception):
    """This machine cannot do it, and why."""


def _quartiles(values):
    if len(values) < 4:
        raise NoFigures(f"{len(values)} runs are too few")
    return statistics.quantiles(values, n=4, method="inclusive")


def _spread(values):
    low, middle, high = _quartiles(values)
    return round((high - low) / middle, 3)


def entry(name, unit, ours, peer, theirs):
    """ours, theirs: the runs' values, in the unit; less is better."""
    value, peer_value = statistics.median(ours), statistics.median(theirs)
    return {
        "name": name, "value": round(value, 3), "unit": unit,
        "peer": peer, "peer_value": round(peer_value, 3),
        "ratio": round(peer_value / value, 3),
        "runs": len(ours), "spread": _spread(ours),
        "min": round(min(ours), 3), "max": round(max(ours), 3),
        "peer_spread": _spread(theirs),
        "peer_min": round(min(theirs), 3), "peer_max": round(max(theirs), 3),
    }


def limited(name, unit, ours, peer, theirs, limit):
    """An entry whose ratio is to reach a limit."""
    made = entry(name, unit, ours, peer, theirs)
    made["limit"] = limit
    made["met"] = made["ratio"] >= limit
    return made
