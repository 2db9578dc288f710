"""`imagesweep watch` shows the changes on a real containerd as they happen."""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading

import pytest

from lab import agent
from lab.cell import wait_until


def _take_terminal():
    """Makes stdin the terminal of the session, so that Ctrl-C and changes of the size send signals. A shell ignores some
    signals in a background job, and the command would inherit that."""
    for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Watch:
    """The command with its output as it arrives, on a terminal or in a pipe."""

    def __init__(self, node, terminal=False, keys=False, every="300ms", flags=(), size=(40, 120)):
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self.text, self._ours = "", ours
        self._terminal = os.dup(theirs)
        if terminal:
            self.resize(*size)
        self._process = subprocess.Popen([str(agent.program()), "watch", f"--every={every}", *node.sources(), *flags],
                                         stdin=theirs if keys else subprocess.DEVNULL, stdout=theirs,
                                         stderr=subprocess.STDOUT, env=agent.environment(), start_new_session=True,
                                         preexec_fn=_take_terminal if keys else None)
        os.close(theirs)
        threading.Thread(target=self._read, daemon=True).start()

    def resize(self, lines, columns):
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys):
        """Forgets what was shown, so that `says` waits for the screen after the keys."""
        self.text = ""
        os.write(self._ours, keys.encode())

    @property
    def in_line_mode(self):
        flags = termios.tcgetattr(self._terminal)[3]
        return bool(flags & termios.ICANON and flags & termios.ECHO)

    def wait(self):
        return self._process.wait(10)

    def signal(self, number):
        self._process.send_signal(number)

    def _read(self):
        try:
            while data := os.read(self._ours, 65536):
                self.text += data.decode(errors="replace")
        except OSError:
            pass  # the other end of a terminal is closed

    def says(self, *parts, seconds=15):
        found = wait_until(lambda: all(part in self.text for part in parts), seconds, every=0.1)
        assert found, self.text

    def end(self):
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._terminal)


def test_lines_tell_what_was_pulled_used_released_and_removed(node):
    with Watch(node) as watch:
        watch.says("Watching 2 images of node node1")
        image = node.load("registry.example/shop/api:v1")
        watch.says("Pulled    registry.example/shop/api:v1")
        pod = node.start_pod("api-0", image)
        watch.says("Used      registry.example/shop/api:v1", "api-0")
        node.remove_pod(pod)
        watch.says("Released  registry.example/shop/api:v1")
        node.age()
        node.sweep()
        watch.says("Gone      registry.example/shop/api:v1")
        assert watch.end() == 0 and "\x1b" not in watch.text


def test_reports_failed_reads_and_the_recovery(node):
    with Watch(node) as watch:
        watch.says("Watching ")
        node.containerd.stop()
        watch.says("Failed")
        node.containerd.start()
        watch.says("Recovered")
        assert watch.end() == 0


def test_on_a_terminal_it_draws_and_leaves_the_terminal_as_it_was(node):
    with Watch(node, terminal=True) as watch:
        watch.says("\x1b[?1049h", "Disk      [", "in_use", "containerd")
        node.load("registry.example/shop/api:v1")
        watch.says("Pulled    registry.example/shop/api:v1")
        assert watch.end() == 0
        watch.says("\x1b[?1049l")


def test_keys_sort_search_and_quit(node):
    node.load("registry.example/shop/api:v1")
    with Watch(node, terminal=True, keys=True) as watch:
        watch.says("Images    3, sorted by name", "registry.example/shop/api:v1", "? keys")
        assert not watch.in_line_mode
        for order in ("size", "age", "last used", "name"):
            watch.press("s")
            watch.says(f"sorted by {order}")
        watch.press("?")
        watch.says("q quit")
        watch.press("\x1b[A\x1bOqs")  # the arrow key and F2 are ignored
        watch.says("sorted by size")
        watch.press("/API")
        watch.says("Images    1 of 3 with \"API\"", "Search: API_")
        watch.press("q\x7f\r")
        watch.says("Images    1 of 3 with \"API\"", "q quit")
        watch.press("\x1b")
        watch.says("Images    3, sorted by size")
        watch.press("q")
        assert watch.wait() == 0 and watch.in_line_mode
        watch.says("\x1b[?1049l")


@pytest.mark.parametrize("end", ["ctrl-c", signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_it_restores_the_terminal_at_each_end(node, end):
    with Watch(node, terminal=True, keys=True) as watch:
        watch.says("? keys")
        assert not watch.in_line_mode
        if end == "ctrl-c":
            watch.press("\x03")
        else:
            watch.signal(end)
        assert watch.wait() == (0 if end in ("ctrl-c", signal.SIGTERM) else -end)
        assert watch.in_line_mode
        watch.says("\x1b[?1049l")


def test_it_fits_the_terminal_when_its_size_changes(node):
    with Watch(node, terminal=True, keys=True, every="1h") as watch:
        watch.says("? keys")
        watch.text = ""
        watch.resize(10, 30)
        watch.says("? keys")
        screen = watch.text.split("\x1b[H")[-1].replace("\x1b[K", "").replace("\r", "").split("\n")
        assert len(screen) == 10 and max(map(len, screen)) <= 30, screen


def test_it_shows_the_next_run_of_a_running_agent(node):
    with agent.Agent(*node.sources(state_dir=node.workdir.path / "agent")) as running:
        running.wait_for("Finished run")
        with Watch(node, terminal=True, flags=[f"--address={running.address}"]) as watch:
            watch.says("Next run  in ")
            assert watch.end() == 0
    with Watch(node, terminal=True, flags=["--address=127.0.0.1:1"]) as watch:
        watch.says("Images    2")
        assert watch.end() == 0 and "Next run" not in watch.text
