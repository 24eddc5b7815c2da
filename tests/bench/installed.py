"""installed: greeterd as make install leaves it, started by systemd: on a machine of tests/system/systemd-box only.

The server "greeterd" is the shipped units, settings and port, untouched but for the CPUs that it may use. Other builds
and other settings are copies of the shipped units under their own names, in the same sandbox. They have no bus name.
"""
import os
import re
import shutil
import subprocess

import servers

UNITS = "/lib/systemd/system"
BINARY = "/usr/sbin/greeterd"
PORT = 8080


class Installed(servers.Greeterd):
    """One service with its socket."""

    about = "as installed: socket, sandbox and settings as shipped, a roll on disk, the journal at its defaults"

    def __init__(self, name, setup, binary=None, settings=None):
        super().__init__(name, setup, BINARY, settings)
        self.given = binary
        self.shipped = name == "greeterd" and not binary and not settings
        self.etc = f"/etc/{name}"
        self.drop_in = f"/run/systemd/system/{name}.service.d/bench.conf"

    def start(self, port, cpus):
        self.settle(PORT if self.shipped else port)
        os.makedirs(os.path.join(self.etc, "conf.d"), exist_ok=True)
        if not self.shipped:
            self.copy_units()
        write(os.path.join(self.etc, "conf.d/bench.conf"), [f"{k} = {v};" for k, v in self.in_force().items()])
        write(self.drop_in, ["[Service]", f"CPUAffinity={cpus}"])
        systemctl("daemon-reload")
        systemctl("restart", f"{self.name}.socket")
        self.wait()

    def copy_units(self):
        program = BINARY
        if self.given:  # the sandbox has no /tmp and no /home of ours
            program = f"/usr/local/sbin/{self.name}"
            shutil.copy(self.given, program)
        write(f"{self.etc}/greeterd.conf", [f"port = {self.port};", 'listen = [ "*" ];'])
        for kind in ("socket", "service"):
            with open(f"{UNITS}/greeterd.{kind}", encoding="utf-8") as file:
                text = file.read()
            text = re.sub(r"greeterd\.socket", f"{self.name}.socket", text)
            text = re.sub(r"^(BusName=.*|\[Install\]|Also=.*|WantedBy=.*)\n", "", text, flags=re.M)
            text = re.sub(r"^ListenStream=.*", f"ListenStream={self.port}", text, flags=re.M)
            text = re.sub(r"^StateDirectory=.*", f"StateDirectory={self.name}", text, flags=re.M)
            text = re.sub(r"^ExecStart=.*", f"ExecStart={program} --config {self.etc}/greeterd.conf", text, flags=re.M)
            write(f"/run/systemd/system/{self.name}.{kind}", [text])

    def pids(self):
        return [int(systemctl("show", "--property=MainPID", "--value", f"{self.name}.service"))]

    def last_words(self):
        return systemctl("status", "--no-pager", "--lines=5", f"{self.name}.service", wanted=None)

    def stop(self):
        if self.port is None:
            return
        systemctl("stop", f"{self.name}.socket", f"{self.name}.service")
        for left in (self.drop_in, os.path.join(self.etc, "conf.d/bench.conf")):
            if os.path.exists(left):
                os.unlink(left)
        self.port = None

    def start_command(self, port):
        self.settle(port)
        return servers.Greeterd.command(self)


def write(path, lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, ""]))


def systemctl(*arguments, wanted=0):
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if wanted is not None and done.returncode != wanted:
        raise RuntimeError(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
