"""measure: the scenarios. Each takes the servers in turns, round by round, and returns what it saw of each round."""
import json
import os
import re
import resource
import subprocess
import time

import journald
import stats

DRIVE_BESIDES = 60  # seconds that a load may take besides those that are counted
IDLE = 2  # seconds that CPU time of idle connections is counted
SETTLE = 1.5  # seconds of rest before memory is read


class Load:
    """So many connections, and how they behave."""

    warmup = "200ms"
    loads = 1  # processes that make it, each with its share of the connections

    def __init__(self, title, connections, depth=1, connect_each=False, mixed=False):
        self.title, self.connections, self.depth = title, connections, depth
        self.connect_each, self.mixed = connect_each, mixed

    def suits(self, server):
        if server.one_at_a_time and (self.depth > 1 or (self.connections > 1 and not self.connect_each)):
            return "serves one connection at a time, and answers a chunk, not a line"
        if self.mixed and not server.numbered:
            return "knows no clients"
        return None

    def run(self, bench, servers):
        return bench.in_turns(servers, bench.apart, lambda server: self.once(bench, server, bench.apart))

    def once(self, bench, server, cpus):
        command = [
            "taskset", "--cpu-list", cpus["load"], os.path.join(bench.setup.build, "tests/bench/drive"),
            f"--port={server.port}", f"--request={server.request.decode()}", f"--answer={server.reply.decode()}",
            f"--connections={1 if server.one_at_a_time else self.connections // self.loads}", f"--depth={self.depth}",
            f"--seconds={bench.seconds}s", f"--warmup={self.warmup}", f"--pids={','.join(map(str, server.pids()))}",
        ]  # fmt: skip
        if self.connect_each:
            command.append("--connect-each")
        if server.varies:
            command.append("--varies=%d:%d" % server.varies)
        if server.numbered:
            command.append(f"--numbers={1000 if self.mixed else min(self.connections, 1000)}")
        if server.numbered and self.mixed:
            command.append("--mixed")
        began = Busy(server.pids())
        said = outputs([command] * self.loads, bench.seconds + DRIVE_BESIDES)
        seen = together([json.loads(text) for text in said])
        seen["others_busy"] = began.others()
        seen["load_busy"] = seen["load_cpu_ns"] / seen["elapsed_ns"]
        if "server_cpu_ns_per_reply" in seen:
            seen["server_busy"] = seen["server_cpu_ns_per_reply"] * seen["per_second"] / 1e9
        return seen


def together(seen):
    """What several loads saw at the same time. Of percentiles, the worst; each counts the server's CPU time whole."""
    if len(seen) == 1:
        return seen[0]
    whole = {key: sum(one[key] for one in seen) for key in ("sent", "answered", "per_second", "load_cpu_ns")}
    whole["elapsed_ns"] = max(one["elapsed_ns"] for one in seen)
    for key in ("latency_ns", "errors"):
        worst = max if key == "latency_ns" else sum
        whole[key] = {name: worst(one[key][name] for one in seen) for name in seen[0][key]}
    for key in ("server_cpu_ns_per_reply", "server_waited_ns_per_reply"):
        if all(one.get(key) for one in seen):
            whole[key] = 1 / sum(1 / one[key] for one in seen)
    return whole


class Workers(Load):
    """greeterd with one worker and with two, where server and load have both CPUs. The load is as wide as the server
    may be: one of one process would have no more than one CPU for two workers."""

    loads = 2

    def suits(self, server):
        return None if server.twin else ""

    def run(self, bench, servers):
        both = [twin for server in servers for twin in (server, server.twin(f"{server.name}-2", {"workers": "2"}))]
        return bench.in_turns(both, bench.shared, lambda server: self.once(bench, server, bench.shared))


class Journal(Load):
    """greeterd with its journal as it is and with an entry for each greeting, and how many of them journald stored."""

    warmup = "0"  # for what is sent then is not counted

    def suits(self, server):
        return None if server.shipped else ""

    def run(self, bench, servers):
        journald.make_room()
        both = [twin for server in servers for twin in (server, server.twin(f"{server.name}-all", {"journal_burst": "0"}))]
        return bench.in_turns(both, bench.apart, lambda server: self.counted(bench, server))

    def counted(self, bench, server):
        journald.forget()
        cursor = journald.cursor()
        seen = self.once(bench, server, bench.apart)
        entries, surplus = journald.count(server.name, cursor, seen["answered"])
        return {**seen, "entries_per_second": entries / seen["elapsed_ns"] * 1e9,
                "told": (entries + surplus) / seen["answered"]}  # fmt: skip


class Idle:
    """Connections that have greeted once and are silent since: memory of each, CPU time of all of them."""

    def __init__(self, connections):
        self.title, self.connections = f"{connections:,} idle connections", connections

    def suits(self, server):
        return "serves one connection at a time" if server.one_at_a_time else None

    def run(self, bench, servers):
        rounds = {}
        for server in servers:
            bench.say(f"  {server.name}")
            server.room = self.connections
            with bench.excused(server):
                rounds[server.name] = [self.once(bench, server) for _ in range(min(bench.rounds, 3))]
            server.room = 0
        return rounds

    def once(self, bench, server):
        held = []
        server.start(bench.port(), bench.apart["server"])
        try:
            time.sleep(SETTLE)
            before = memory(server.pids())
            held = [server.greet() for _ in range(self.connections)]
            time.sleep(SETTLE)
            after = memory(server.pids())
            ran = cpu(server.pids())
            time.sleep(IDLE)
            ran = cpu(server.pids()) - ran
        finally:
            for connection in held:
                connection.close()
            server.stop()
        return {
            "idle_pss": before["pss"],
            "pss_each": (after["pss"] - before["pss"]) / self.connections,
            "uss_each": (after["uss"] - before["uss"]) / self.connections,
            "cpu_ns_per_second": ran / IDLE,
        }


class Start:
    """From fork to the first reply, of a client that is there already; and what loading libsystemd takes."""

    title = "start to first reply"
    runs = 15  # a round

    def suits(self, server):
        return None if server.takes_sockets else "takes no socket from systemd"

    def run(self, bench, servers):
        rounds = {server.name: [] for server in servers}
        rounds["libsystemd"] = []
        for number in range(bench.rounds):
            times = {name: [] for name in [*rounds, "empty", "empty-systemd"]}
            for turn in range(self.runs):
                for server in stats.order(servers, number + turn):
                    with bench.excused(server):
                        times[server.name].append(self.once(bench, server))
                for name in ("empty", "empty-systemd"):
                    program = os.path.join(bench.setup.build, "tests/bench", name)
                    times[name].append(self.start(bench, ["0", "", "", program]))
            for server in servers:
                if times[server.name]:
                    rounds[server.name].append({"ns": stats.median(times[server.name])})
            loading = stats.median(times["empty-systemd"]) - stats.median(times["empty"])
            rounds["libsystemd"].append({"ns": loading})
            if rounds.get("bare"):
                least = rounds["bare"][-1]["ns"] + loading
                for server in servers:
                    if times[server.name]:
                        rounds[server.name][-1]["of_least"] = rounds[server.name][-1]["ns"] / least
        return rounds

    def once(self, bench, server):
        command = server.start_command(server.port or bench.port())
        request = server.request.replace(b"#", b"7").decode()
        return self.start(bench, [str(server.port), request, server.reply.decode(), *command])

    def start(self, bench, arguments):
        program = os.path.join(bench.setup.build, "tests/bench/start")
        return int(output(["taskset", "--cpu-list", bench.apart["server"], program, *arguments], 30))


class Cold:
    """What systemd costs the first client: tests/system/cold.c, which says it of several clients."""

    title = "cold activation"
    said = re.compile(r"^(.+): plain ([0-9.]+) ms, cold ([0-9.]+) ms, ratio ([0-9.]+)", re.M)

    def suits(self, server):
        return None if server.shipped else ""

    def run(self, bench, servers):
        rounds = {}
        for server in servers:
            try:
                with bench.excused(server):
                    server.start(bench.port(), bench.shared["server"])
                    for _ in range(bench.rounds):
                        self.once(bench, server, rounds)
            finally:
                server.stop()
        return rounds

    def once(self, bench, server, rounds):
        programs = [os.path.join(bench.setup.build, "tests/system/cold"), server.binary, "/usr/bin/sockctl"]
        for client, plain, cold, ratio in self.said.findall(output([*programs, str(server.port), "15"], 120)):
            seen = {"plain_ms": float(plain), "cold_ms": float(cold), "ratio": float(ratio)}
            rounds.setdefault(f"{server.name}, {client}", []).append(seen)


SCENARIOS = {
    "c1": Load("1 connection", 1),
    "c50": Load("50 connections", 50),
    "c1000": Load("1,000 connections", 1000),
    "p16": Load("50 connections, 16 requests under way on each", 50, depth=16),
    "mixed16": Load("50 connections, 16 under way on each, in turn of 1,000 clients", 50, 16, mixed=True),
    "connect": Load("connect, greet, close", 50, connect_each=True),
    "workers": Workers("workers: 50 connections, server and two loads on both CPUs", 50),
    "workers16": Workers("workers: 50 connections, 16 under way on each, server and two loads on both CPUs", 50, 16),
    "workers256": Workers("workers: 50 connections, 256 under way on each, in turn of 1,000 clients, on both CPUs",
                          50, 256, mixed=True),
    "journal": Journal("journal: 50 connections, and an entry for each greeting", 50),
    "idle10k": Idle(10000),
    "idle19k": Idle(19000),
    "start": Start(),
    "cold": Cold(),
}


def outputs(commands, seconds):
    """What commands that run at the same time print."""
    # pylint: disable=consider-using-with
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for command in commands]  # fmt: skip
    try:
        said = [process.communicate(timeout=seconds) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    for process, command, (_, err) in zip(running, commands, said):
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {err.strip() or process.returncode}")
    return [out for out, _ in said]


def output(command, seconds):
    return outputs([command], seconds)[0]


def memory(pids):
    """Bytes: the share of the processes in what they use, and what is theirs alone."""
    sums = {"Pss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                key, _, rest = line.partition(":")
                if key in sums:
                    sums[key] += int(rest.split()[0]) * 1024
    return {"pss": sums["Pss"], "uss": sums["Private_Clean"] + sums["Private_Dirty"]}


class Busy:
    """Who uses the CPUs from here on, to see whether anybody but server and load does."""

    def __init__(self, pids):
        self.pids = pids
        self.began, self.all, self.ours = time.monotonic(), self.busy(), self.used()

    def busy(self):
        """Seconds that CPUs were not idle: proc(5). What another machine took of them is among these."""
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")

    def used(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime + cpu(self.pids) / 1e9

    def others(self):
        """The share of all CPUs that others had."""
        taken = self.busy() - self.all - (self.used() - self.ours)
        return max(0.0, taken / ((time.monotonic() - self.began) * os.cpu_count()))


def cpu(pids):
    """Nanoseconds that all threads ran: proc(5)."""
    ran = 0
    for pid in pids:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as file:
                ran += int(file.read().split()[0])
    return ran
