"""journald: what greeterd wrote to the journal of the machine, which must be a throw-away one."""
import os
import re
import subprocess
import time

CONF = "/run/systemd/journald.conf.d/bench.conf"
MESSAGES = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../src/greeterd/messages.c")
SURPLUS = re.compile(rb"(\d+) more greeting")
PATIENCE = 30  # seconds, for journald to store what it was sent


def make_room():
    """For all entries of a load: by default the journal is a tenth of its file system."""
    os.makedirs(os.path.dirname(CONF), exist_ok=True)
    with open(CONF, "w", encoding="ascii") as file:
        file.write("[Journal]\nSystemMaxUse=500M\nSystemMaxFileSize=400M\nSystemKeepFree=1M\n")
    subprocess.run(["systemctl", "restart", "systemd-journald"], check=True)


def forget():
    """What is there already."""
    subprocess.run(["journalctl", "--quiet", "--rotate", "--vacuum-size=1K"], capture_output=True, check=True)


def cursor():
    """Where the journal ends now, which has an entry for that."""
    subprocess.run(["systemd-cat", "--identifier=bench", "echo", "from here"], check=True)
    subprocess.run(["journalctl", "--sync"], check=True)
    said = subprocess.run(["journalctl", "--quiet", "--lines=1", "--show-cursor"], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    return said.rpartition("-- cursor: ")[2].strip()


def message_id(name):
    with open(MESSAGES, encoding="utf-8") as file:
        return re.search(rf'\[MESSAGE_{name}\] = {{ "([0-9a-f]+)"', file.read())[1]


def values(field, unit, after, message):
    """The values of a field in all entries of a unit with a message, a line each. --cursor, for the --after-cursor of some
    versions of systemd leaves out the first entry that matches."""
    done = subprocess.run(
        ["journalctl", "--quiet", f"--cursor={after}", "--output=cat", f"--output-fields={field}",
         f"_SYSTEMD_UNIT={unit}.service", f"MESSAGE_ID={message_id(message)}"],
        capture_output=True, check=True)  # fmt: skip
    return done.stdout


def count(unit, after, expected):
    """Greetings with an entry of their own, and those that summaries count, once there are so many, or no more come."""
    until = time.monotonic() + PATIENCE
    while True:
        subprocess.run(["journalctl", "--sync"], check=True)
        entries = values("GREETERD_COUNT", unit, after, "GREETING").count(b"\n")
        surplus = sum(map(int, SURPLUS.findall(values("MESSAGE", unit, after, "SUMMARY"))))
        if entries + surplus >= expected or time.monotonic() > until:
            return entries, surplus
        time.sleep(0.5)
