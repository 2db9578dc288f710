"""A cell: processes in separate mount, process, and network namespaces, which all end with it.

The directories that are compiled into a runtime or a kubelet (/run, /var/lib, /var/log) are private to the cell.
Everything else, above all the directory of the lab, has the same path inside and outside, so both sides can use its
sockets and files.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

PRIVATE = ("/run", "/var/lib", "/var/log")
ALL_OF_VAR = ("/run", "/var")  # for programs with files below /var/snap. The lab itself must be elsewhere.


class Cell:
    """PRIVATE are the private directories."""

    def __init__(self, directory, private=PRIVATE):
        self.directory, self._private = pathlib.Path(directory), private
        self.logs = self.directory / "logs"
        self.logs.mkdir(exist_ok=True)
        binds = {}
        for target in private:
            source = self.directory / "host" / target.lstrip("/")
            source.mkdir(parents=True)
            binds[str(source)] = target
        init = pathlib.Path(__file__).with_name("cell_init.py")
        self._init = subprocess.Popen([sys.executable, "-S", "-E", str(init), json.dumps(binds)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.pid = self._answer()["pid"]

    def start(self, name, argv, path_first=None):
        """Starts a program whose output goes to logs/NAME.log. `path_first` comes first in PATH."""
        env = dict(os.environ)
        if path_first:
            env["PATH"] = f"{path_first}:{env['PATH']}"
        self._ask(do="start", name=name, argv=[str(arg) for arg in argv], env=env, log=str(self.log(name)))

    def send(self, name, number):
        self._ask(do="signal", name=name, signal=int(number))

    def running(self, name):
        return self._ask(do="status", name=name)["running"]

    def stop(self, name, number=signal.SIGTERM, seconds=10):
        """Sends the signal, and kills the process if that was not enough. Returns when the process has been reaped."""
        self.send(name, number)
        if not wait_until(lambda: not self.running(name), seconds, patience=1):
            self.send(name, signal.SIGKILL)
            wait_until(lambda: not self.running(name), seconds, patience=1)

    def log(self, name):
        return self.logs / f"{name}.log"

    def tail(self, name, lines=20):
        path = self.log(name)
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"

    def enter(self, *argv, network=True, mounts=False, processes=False):
        """The command line that runs ARGV in the network (and the mounts, and as a process) of the cell. Programs that
        read /proc/self need the last two."""
        namespaces = [*(["net"] if network else []), *(["mnt"] if mounts else []), *(["pid"] if processes else [])]
        flags = {"net": "net", "mnt": "mount", "pid": "pid"}
        return ["nsenter", *(f"--{flags[one]}=/proc/{self.pid}/ns/{one}" for one in namespaces), "--",
                *[str(arg) for arg in argv]]

    def run(self, *argv, mounts=False, processes=False, **options):
        try:
            return subprocess.run(self.enter(*argv, mounts=mounts, processes=processes), check=True, text=True,
                                  capture_output=True, **options)
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr)
            raise

    def outside(self, path):
        """The path outside the cell of a PATH inside it."""
        path = pathlib.Path(path)
        for target in self._private:
            if path.is_relative_to(target):
                return self.directory / "host" / path.relative_to("/")
        return path

    def close(self):
        if self._init.stdin.closed:
            return
        self._init.stdin.close()
        self._init.wait(timeout=30)
        self._init.stdout.close()

    def _ask(self, **request):
        self._init.stdin.write(json.dumps(request).encode() + b"\n")
        self._init.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise OSError(f"{request.get('argv', request['name'])}: {answer['error']}")
        return answer

    def _answer(self):
        line = self._init.stdout.readline()
        if not line:
            raise RuntimeError("the cell could not be made: see its message above (namespaces need root)")
        return json.loads(line)


PATIENCE = 3  # on a busy machine, a test may take this many times as long; a good run loses nothing


def wait_until(condition, seconds, every=0.05, patience=PATIENCE):
    """Polls until CONDITION holds and returns its value, or something false after PATIENCE times SECONDS."""
    deadline = time.monotonic() + seconds * patience
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(every)
