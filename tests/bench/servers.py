"""servers: who is measured. Each is a process of ours that answers one fixed request on a port of 127.0.0.1."""
import os
import shutil
import signal
import socket
import subprocess
import time

BACKLOG = "65535"  # the kernel lowers it to net.core.somaxconn, as it does greeterd.socket's
CONNECTIONS = "19500"
START_SECONDS = 10

NGINX = """
daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
    access_log off; server_tokens off; keepalive_requests 1000000000; keepalive_timeout 1h;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog={backlog};
        location / {{ default_type text/plain; return 200 "I am SERVER"; }}
    }}
}}
"""
NGINX_REPLY = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 11\r\nConnection: keep-alive\r\n\r\nI am SERVER"
)


class Server:
    """start() returns once it answers; stop() once it is gone."""

    about = ""  # for the reader: what runs, and how
    request = b"I am client #\n"
    reply = b"I am SERVER\n"
    varies = None  # (first byte, bytes) of the reply that no two need have in common
    program = None  # without which it cannot be measured
    package = None  # of Debian, that has it
    one_at_a_time = False
    numbered = False  # "#" in the request stands for the number of the connection
    takes_sockets = False  # from systemd: has a start_command()
    shipped = False  # what systemd starts for greeterd.socket
    twin = None
    room = 0  # connections that a scenario will make

    def __init__(self, name, setup):
        self.name, self.setup = name, setup
        self.port = self.process = self.folder = None

    def missing(self):
        if self.program and not shutil.which(self.program):
            return f"{self.program} is not there (Debian: {self.package})"
        return None

    def description(self):
        if not self.package:
            return self.about
        done = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", self.package],
                              capture_output=True, text=True, check=False)  # fmt: skip
        return f"{self.about} ({self.package} {done.stdout or 'of unknown version'})"

    def command(self):
        raise NotImplementedError

    def start(self, port, cpus):
        self.settle(port)
        self.begin(["taskset", "--cpu-list", cpus, *self.command()])
        self.wait()

    def settle(self, port):
        self.port = port
        self.folder = os.path.join(self.setup.folder, f"{self.name}-{port}")
        os.makedirs(self.folder, exist_ok=True)

    def begin(self, command):
        # pylint: disable=consider-using-with
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, cwd=self.folder
            )

    def wait(self):
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.greet().close()
            except OSError as error:
                if time.monotonic() > until or (self.process and self.process.poll() is not None):
                    raise RuntimeError(f"{self.name} does not answer: {error}; {self.last_words()}") from error
                time.sleep(0.02)

    def last_words(self):
        with open(os.path.join(self.folder, "log"), "rb") as log:
            return log.read()[-400:].decode(errors="replace")

    def greet(self):
        """Connects and is answered; the connection is the caller's."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS)
        connection.sendall(self.request.replace(b"#", b"7"))
        reply = connection.recv(len(self.reply), socket.MSG_WAITALL)
        if self.masked(reply) != self.masked(self.reply):
            connection.close()
            raise OSError(f"answered {reply!r}")
        return connection

    def masked(self, reply):
        if not self.varies:
            return reply
        first, length = self.varies
        return reply[:first] + reply[first + length :]

    def pids(self):
        """All processes of the server."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                todo += map(int, children.read().split())
        return found

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)


class Bare(Server):
    about = "the limit: an epoll loop, a fixed reply to each newline"
    numbered = takes_sockets = True

    def __init__(self, name, setup, binary=None):
        super().__init__(name, setup)
        self.binary = self.program = binary or os.path.join(setup.build, "tests/bench/bare")

    def command(self):
        return [self.binary, str(self.port)]

    def start_command(self, port):
        self.settle(port)
        return [self.binary]


class Naive(Server):
    about = "the original exercise's, in Python: one client at a time"
    request = b"I am CLIENT<br>"
    reply = b"I am SERVER<br>"
    program, package = "/usr/bin/python3", "python3"
    one_at_a_time = True

    def command(self):
        return [self.program, os.path.join(self.setup.here, "naive.py"), str(self.port)]


class Redis(Server):
    about = "PING, nothing saved"
    request = b"*1\r\n$4\r\nPING\r\n"
    reply = b"+PONG\r\n"
    program, package = "redis-server", "redis-server"

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--tcp-backlog", BACKLOG,
                "--maxclients", CONNECTIONS, "--save", "", "--appendonly", "no", "--daemonize", "no",
                "--dir", self.folder]  # fmt: skip


class Memcached(Server):
    about = "meta no-op, one thread"
    request, reply = b"mn\r\n", b"MN\r\n"
    program, package = "memcached", "memcached"

    def command(self):
        return [self.program, "-p", str(self.port), "-l", "127.0.0.1", "-U", "0", "-t", "1", "-b", BACKLOG,
                "-c", CONNECTIONS, "-u", "root"]  # fmt: skip


class Nginx(Server):
    about = "keep-alive GET of 11 bytes, one worker, no access log"
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    reply = NGINX_REPLY
    varies = (NGINX_REPLY.index(b"Date: "), len("Date: Thu, 01 Jan 1970 00:00:00 GMT"))
    program, package = "nginx", "nginx"

    def command(self):
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=self.folder, port=self.port, backlog=BACKLOG, files=20000,
                                    connections=CONNECTIONS))  # fmt: skip
        return [self.program, "-p", self.folder, "-e", os.path.join(self.folder, "nginx.err"), "-c", conf]


class Greeterd(Server):
    about = ("run by hand: socket passed as systemd does, a roll on disk, the journal at its defaults into a stand-in "
             "for journald's socket, no sandbox")  # fmt: skip
    numbered = takes_sockets = True

    def __init__(self, name, setup, binary=None, settings=None):
        super().__init__(name, setup)
        self.binary = self.program = binary or os.path.join(setup.build, "src/greeterd/greeterd")
        self.given, self.settings = binary, settings or {}

    def twin(self, name, settings):
        """The same build with other settings."""
        return type(self)(name, self.setup, self.given, {**self.settings, **settings})

    def description(self):
        return "; ".join([self.about, *(f"{key} = {value}" for key, value in self.settings.items())])

    def command(self):
        conf = os.path.join(self.folder, "greeterd.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"port = {self.port};\nlisten = [ \"127.0.0.1\" ];\n")
            file.writelines(f"{key} = {value};\n" for key, value in self.in_force().items())
        return [self.binary, "--config", conf, "--state-dir", self.folder]

    def in_force(self):
        """The settings that are not the defaults."""
        room = {"max_connections": self.room + 100} if self.room > 16000 else {}
        return {**room, **self.settings}

    def begin(self, command):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(int(BACKLOG))
        # The shell is where LISTEN_PID= can be known; it becomes greeterd.
        with listener, open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["/bin/sh", "-c", 'exec 3<&"$0"; export LISTEN_PID=$$; exec "$@"', str(listener.fileno()), *command],
                env=greeterd_environment(log), pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, cwd=self.folder,
            )  # fmt: skip

    def start_command(self, port):
        self.settle(port)
        return self.command()


def greeterd_environment(log):
    """That in which greeterd takes standard error for journald's, and so speaks to journald's socket."""
    status = os.fstat(log.fileno())
    return {**os.environ, "LISTEN_FDS": "1", "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


KINDS = {"bare": Bare, "naive": Naive, "redis": Redis, "memcached": Memcached, "nginx": Nginx, "greeterd": Greeterd}


def parse(word, setup):
    """NAME[=BINARY][+SETTING=VALUE]...: a server of KINDS, or another build or other settings of bare or greeterd."""
    word, *pairs = word.split("+")
    name, _, binary = word.partition("=")
    binary = os.path.realpath(binary) if binary else None
    settings = dict(pair.split("=", 1) for pair in pairs)
    if name.startswith("bare"):
        return Bare(name, setup, binary)
    if name.startswith("greeterd"):
        return setup.greeterd(name, setup, binary, settings)
    if name not in KINDS or binary or settings:
        raise ValueError(f"no server is called {word}: {', '.join(KINDS)}")
    return KINDS[name](name, setup)
