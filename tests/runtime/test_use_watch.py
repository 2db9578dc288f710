"""The agent knows containers that came and went between two runs: their images were used."""
import contextlib

from lab.cell import wait_until

HOUR = {"interval": "1h"}


@contextlib.contextmanager
def waiting_agent(node):
    """An agent after its first run, when all images are old enough for a removal. The next run is much later."""
    node.age()
    node.put_configmap(suspend=True, **HOUR)
    with node.agent("--log-level=debug") as agent:
        agent.wait_for("Subscribed to runtime events")
        agent.wait_for("Finished run")
        yield agent


def come_and_go(node, image, name="by-hand"):
    node.containerd.ctr("containers", "create", *node.containerd.import_flags[-2:], image.names[0], name)
    node.containerd.ctr("containers", "rm", name)


def listed(node, image):
    return next(one for one in node.json("images")["images"] if one["id"] == image.id)


def run_now(node, gone):
    """Lets the agent run until it has removed GONE."""
    node.put_configmap(**HOUR)
    assert wait_until(lambda: gone.id not in node.containerd.ids(), 30)


def test_records_the_use_of_a_short_lived_container(node):
    used, unneeded = node.load("registry.example/shop/job:v1"), node.load("registry.example/shop/old:v1")
    with waiting_agent(node) as agent:
        assert listed(node, used)["lastUsed"] is None
        come_and_go(node, used)
        run_now(node, unneeded)
        agent.wait_for_metric("imagesweep_image_removals_total", 1, result="success")
        assert used.id in node.containerd.ids(), agent.text()
        assert listed(node, used)["lastUsed"] is not None
        assert agent.terminate() == 0


def test_events_come_again_after_the_runtime_was_killed(node):
    used, unneeded = node.load("registry.example/shop/job:v1"), node.load("registry.example/shop/old:v1")
    with waiting_agent(node) as agent:
        node.containerd.stop(9)
        lost = agent.wait_for("Lost runtime events")
        node.containerd.start()
        agent.wait_for("Subscribed to runtime events", after=agent.lines.index(lost))
        come_and_go(node, used)
        run_now(node, unneeded)
        assert used.id in node.containerd.ids(), agent.text()
        assert listed(node, used)["lastUsed"] is not None


def test_keeps_images_used_around_a_restart_of_the_runtime(node):
    used, unneeded = node.load("registry.example/shop/job:v1"), node.load("registry.example/shop/old:v1")
    with waiting_agent(node) as agent:
        node.containerd.ctr("containers", "create", *node.containerd.import_flags[-2:], used.names[0], "by-hand")
        node.put_configmap(suspend=True, interval="2h")  # a run, which takes the recorded uses
        agent.wait_for_metric("imagesweep_runs_total", 2)
        node.containerd.stop(9)
        lost = agent.wait_for("Lost runtime events")
        node.containerd.start()
        agent.wait_for("Subscribed to runtime events", after=agent.lines.index(lost))
        node.containerd.ctr("containers", "rm", "by-hand")
        run_now(node, unneeded)
        assert used.id in node.containerd.ids(), agent.text()
