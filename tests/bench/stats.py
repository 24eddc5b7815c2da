"""stats: what is said of several rounds. Pure; all of it is tested with known numbers (test-stats.py)."""


def quantile(values, q):
    """The q-quantile, 0 to 1, between the two nearest values as far as it lies between them."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    at = (len(ordered) - 1) * q
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def median(values):
    return quantile(values, 0.5)


def middle(values):
    """Median, and the quartiles between which the middle half lies."""
    return {"median": median(values), "q1": quantile(values, 0.25), "q3": quantile(values, 0.75)}


def paired(values, limit):
    """The ratios round by round, which what a round had in common (a busy machine) does not move."""
    if len(values) != len(limit):
        raise ValueError("not the same rounds")
    return middle([v / l for v, l in zip(values, limit)])


def order(names, round_number):
    """Who comes in which place: each round begins with another, and every second one runs backwards."""
    turn = round_number % len(names)
    turned = names[turn:] + names[:turn]
    return turned[::-1] if round_number % 2 else turned
