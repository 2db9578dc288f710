"""`imagesweep watch` shows the changes on a real containerd as they happen."""
import os
import pty
import signal
import subprocess
import threading

from lab import agent
from lab.cell import wait_until


class Watch:
    """The command with its output as it arrives, on a terminal or in a pipe."""

    def __init__(self, node, terminal=False):
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self.text, self._ours = "", ours
        self._process = subprocess.Popen([str(agent.program()), "watch", "--every=300ms", *node.sources()],
                                         stdout=theirs, stderr=subprocess.STDOUT, env=agent.environment())
        os.close(theirs)
        threading.Thread(target=self._read, daemon=True).start()

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


def test_it_says_when_it_cannot_see_and_when_it_can_again(node):
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
