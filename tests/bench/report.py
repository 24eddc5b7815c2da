"""report: what was seen, summed up, as text for a terminal, as Markdown, and as a picture. Pure, but for plot()."""
import json
import subprocess
import textwrap

import stats

LIMIT = "bare"
QUIET = 0.03  # of the CPUs, that others may use


def summarise(seen):
    """Medians of the rounds, and ratios to the limit, paired by round. What is not known is None."""
    summary = {key: value for key, value in seen.items() if key != "scenarios"}
    summary["scenarios"] = {}
    for key, scenario in seen["scenarios"].items():
        rounds = scenario["rounds"]
        limit = rounds.get(LIMIT) or next(iter(rounds.values()), None)
        rows = {name: row_of(those, limit if len(limit) == len(those) else None) for name, those in rounds.items()}
        summary["scenarios"][key] = {**scenario, "rows": rows}
    return summary


def flat(once):
    """One round's numbers by name: those inside of others as "outer.inner"."""
    numbers = {}
    for key, value in once.items():
        if isinstance(value, dict):
            numbers.update({f"{key}.{inner}": number for inner, number in value.items()})
        else:
            numbers[key] = value
    return numbers


def row_of(those, limit):
    those = [flat(once) for once in those]
    limit = [flat(once) for once in limit] if limit else []
    row = {"errors": int(sum(sum(v for k, v in once.items() if k.startswith("errors.")) for once in those))}
    for key in those[0]:
        values = [once.get(key) for once in those]
        if None in values:
            continue
        row[key] = stats.middle(values)
        base = [once.get(key) for once in limit]
        if base and None not in base and all(base):
            row[key]["ratio"] = stats.paired(values, base)
    return row


def wrong(summary):
    """Whether any reply was wrong or missing, or a server failed."""
    return any(
        scenario["failed"] or any(row["errors"] for row in scenario["rows"].values())
        for scenario in summary["scenarios"].values()
    )


# Tables: for each shape of row its columns, as (heading, key, how it is written).


def number(value, digits):
    return f"{value:,.{digits}f}"


def plain(digits, scale=1.0):
    return lambda middle: number(middle["median"] * scale, digits)


def ratio(middle):
    if "ratio" not in middle:
        return ""
    paired = middle["ratio"]
    return f"{paired['median']:.3f} ({paired['q1']:.3f}–{paired['q3']:.3f})"


def short_ratio(middle):
    return f"{middle['ratio']['median']:.2f}" if "ratio" in middle else ""


def percent(middle):
    return f"{middle['median']:.0%}"


def exact_percent(middle):
    return f"{middle['median']:.3%}"


MICRO = plain(1, 1e-3)
SHAPES = [
    ("per_second", [
        ("replies/s", "per_second", plain(0)),
        ("of the limit (middle half)", "per_second", ratio),
        ("CPU/reply, µs", "server_cpu_ns_per_reply", plain(2, 1e-3)),
        ("of the limit", "server_cpu_ns_per_reply", short_ratio),
        ("busy, server", "server_busy", percent),
        ("load", "load_busy", percent),
        ("entries/s", "entries_per_second", plain(0)),
        ("in entries or counts", "told", exact_percent),
        ("p50, µs", "latency_ns.p50", MICRO),
        ("p99, µs", "latency_ns.p99", MICRO),
        ("p99.9, µs", "latency_ns.p99.9", MICRO),
    ]),
    ("pss_each", [
        ("bytes each (PSS)", "pss_each", plain(0)),
        ("bytes each (USS)", "uss_each", plain(0)),
        ("CPU, µs a second", "cpu_ns_per_second", MICRO),
        ("PSS without any, KiB", "idle_pss", plain(0, 1 / 1024)),
    ]),
    ("ns", [
        ("ms", "ns", plain(2, 1e-6)),
        ("of the limit (middle half)", "ns", ratio),
        ("of limit and libsystemd", "of_least", plain(2)),
    ]),
    ("cold_ms", [
        ("as it is, ms", "plain_ms", plain(2)),
        ("by systemd, in its sandbox, ms", "cold_ms", plain(2)),
        ("ratio", "ratio", plain(2)),
    ]),
]  # fmt: skip


def table(scenario):
    """Headings, and a list of cells for each server."""
    rows = scenario["rows"]
    first = next(iter(rows.values()), {"ns": None})
    columns = next(columns for mark, columns in SHAPES if mark in first)
    columns = [column for column in columns if any(column[1] in row for row in rows.values())]
    lines = []
    for name, row in rows.items():
        cells = [write(row[key]) if key in row else "" for _, key, write in columns]
        if row["errors"]:
            cells[0] += f" ({row['errors']} wrong or missing)"
        lines.append([name, *cells])
    return ["server", *(heading for heading, _, _ in columns)], lines


def left_out(scenario):
    return [*scenario["unsuited"].items(), *scenario["failed"].items()]


def text(summary):
    parts = []
    for scenario in summary["scenarios"].values():
        headings, lines = table(scenario)
        widths = [max(len(line[i]) for line in [headings, *lines]) for i in range(len(headings))]
        parts.append(scenario["title"])
        for line in [headings, *lines]:
            cells = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))]
            parts.append("  " + "  ".join(cells).rstrip())
        parts += [f"  {name}: {why}" for name, why in left_out(scenario)] + [""]
    return "\n".join([*parts, *about(summary)])


def about(summary):
    """What a reader must know to judge the figures."""
    m, layout = summary["machine"], summary["layout"]
    lines = [
        f"{summary['date']}, {m['cpus']} CPUs ({m['cpu']}), Linux {m['kernel']}, {m['system']}; "
        f"{summary['rounds']} rounds in turns, {summary['seconds']:g} s each; medians. Server on CPU "
        f"{layout['server']}, load on CPU {layout['load']}."
    ]
    others = [row["others_busy"]["median"] for s in summary["scenarios"].values() for row in s["rows"].values()
              if "others_busy" in row]  # fmt: skip
    if others and stats.median(others) > QUIET:
        lines[0] += f" Others used {stats.median(others):.0%} of the CPUs meanwhile: the machine was not quiet."
    lines += [f"{name}: {what}." for name, what in summary["servers"].items() if name != "bare2"]
    lines += [f"{name}: left out, {why}." for name, why in summary["missing"].items()]
    return lines


def loads(summary):
    """The scenarios in which servers are compared by their replies per second."""
    return [s for s in summary["scenarios"].values() if "per_second" in s["rows"].get(LIMIT, {})]


def servers_of(scenarios):
    return list(dict.fromkeys(name for scenario in scenarios for name in scenario["rows"]))


def overview(summary):
    """A row for each server, a column for each load, in Markdown."""
    scenarios = loads(summary)
    lines = ["| | " + " | ".join(scenario["title"] for scenario in scenarios) + " |"]
    lines.append("| --- |" + " --- |" * len(scenarios))
    for name in servers_of(scenarios):
        cells = [overview_cell(scenario["rows"].get(name)) for scenario in scenarios]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def overview_cell(row):
    if not row or "ratio" not in row["per_second"]:
        return ""
    rate, p99 = row["per_second"], row["latency_ns.p99"]
    return f"**{short_ratio(rate)}** {rate['median']:,.0f}/s, {short(p99['median'])}"


def short(nanoseconds):
    return f"{nanoseconds / 1e6:.1f} ms" if nanoseconds >= 1e6 else f"{nanoseconds / 1e3:.0f} µs"


def between_marks(text_of_file, summary):
    """The text with the overview between its two lines that mark where it stands."""
    begin, end = "<!-- what make bench said: -->", "<!-- until here -->"
    before, found, rest = text_of_file.partition(begin)
    _, also, after = rest.partition(end)
    if not found or not also:
        raise ValueError(f"no lines {begin} and {end}")
    return "\n".join([before + begin, "", overview(summary), "", about(summary)[0], "", end + after])


def markdown(summary):
    parts = ["# What make bench said", "", overview(summary), "",
             "Replies a second, of those of bare and in figures, and the 99th percentile of what a reply took.",
             ""]  # fmt: skip
    for scenario in summary["scenarios"].values():
        headings, lines = table(scenario)
        parts += [f"**{scenario['title']}**", ""]
        parts.append("| " + " | ".join(headings) + " |")
        parts.append("| --- |" + " ---: |" * (len(headings) - 1))
        parts += ["| " + " | ".join(line) + " |" for line in lines]
        if left_out(scenario):
            parts += ["", "; ".join(f"{name} {why}" for name, why in left_out(scenario)) + "."]
        parts.append("")
    return "\n".join([*parts, *("- " + line for line in about(summary))]) + "\n"


PLOT = """
set terminal svg noenhanced size 860,440 font "sans-serif,13" background "white"
set output {output}
set title {title} font ",14"
set style data histogram
set style histogram clustered gap 1.2 errorbars lw 1
set style fill solid 0.85 noborder
set errorbars 0.4 lc rgb "#222222" lw 1
set grid ytics lc "#dddddd"
set border 3
set tics nomirror
set yrange [0:*]
set ylabel "replies per second, of the limit's"
set key above horizontal
set bmargin 5
set xrange [-0.6:{last}.6]
$seen << end
{data}
end
plot {plots}
"""
COLOURS = ["#444444", "#999999", "#1b7837", "#c0392b", "#2980b9", "#e08e0b", "#8e44ad", "#16a085"]


def plot(summary, path):
    """A cluster of bars for each load: each server's replies per second, of the limit's, with the middle half."""
    scenarios = loads(summary)
    names = servers_of(scenarios)
    lines = []
    if not scenarios:
        return
    for scenario in scenarios:
        cells = ['"' + "\\n".join(textwrap.wrap(scenario["title"], 16)) + '"']
        for name in names:
            row = scenario["rows"].get(name, {}).get("per_second", {}).get("ratio")
            cells.append("{median} {q1} {q3}".format(**row) if row else "0 0 0")
        lines.append(" ".join(cells))
    plots = [
        f"$seen using {2 + 3 * i}:{3 + 3 * i}:{4 + 3 * i}:xtic(1) title {json.dumps(name)} lc rgb \"{colour}\""
        for i, (name, colour) in enumerate(zip(names, COLOURS))
    ]
    script = PLOT.format(output=json.dumps(path), title=json.dumps(f"{summary['date']}, {summary['machine']['cpu']}"),
                         last=len(scenarios) - 1, data="\n".join(lines), plots=", ".join(plots))  # fmt: skip
    subprocess.run(["gnuplot", "-"], input=script, text=True, check=True)
