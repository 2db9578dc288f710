"""The agent as a process: it removes without a command, recovers from failures, and ends on a signal."""
import signal

from lab.cell import wait_until


def gone(node, image, seconds=30):
    return wait_until(lambda: image.id not in node.containerd.ids(), seconds)


def test_removes_an_image_once_it_reaches_the_maximum_age(node):
    unneeded, used = node.load("registry.example/shop/old:v1"), node.load("registry.example/shop/api:v1")
    node.start_pod("api-0", used)
    node.put_configmap(dryRun=True)
    with node.agent() as agent:
        first = agent.wait_for("Loaded policy")
        agent.wait_for("Finished run")
        node.age()
        assert unneeded.id in node.containerd.ids()
        node.put_configmap(dryRun=False)
        second = agent.wait_for("Loaded policy", after=agent.lines.index(first) + 1)
        assert second["sha256"] != first["sha256"]
        assert gone(node, unneeded)
        assert used.id in node.containerd.ids()
        agent.wait_for_metric("imagesweep_image_removals_total", 1, result="success")
        assert agent.terminate() == 0


def test_recovers_after_a_restart_of_the_runtime(node):
    unneeded = node.load("registry.example/shop/old:v1")
    node.age()
    node.put_configmap(suspend=True)
    with node.agent() as agent:
        agent.wait_for("Finished run")
        node.containerd.stop(signal.SIGKILL)
        node.put_configmap()
        agent.wait_for_metric("imagesweep_refused_runs_total", 1)
        node.containerd.start()
        assert gone(node, unneeded, seconds=60), agent.text()
        assert agent.running


def test_is_not_ready_while_the_runtime_is_away(node):
    node.put_configmap()
    node.containerd.stop()
    with node.agent() as agent:
        agent.wait_for("Loaded policy")
        assert wait_until(lambda: "[-]runtime" in agent.fetch("/readyz?verbose")[1], 20)
        assert agent.fetch("/readyz")[0] == 503 and agent.fetch("/livez")[0] == 200
        node.containerd.start()
        assert wait_until(lambda: agent.fetch("/readyz")[0] == 200, 20)


def test_removes_nothing_while_the_api_server_is_away_and_heals(node):
    unneeded = node.load("registry.example/shop/old:v1")
    node.age()
    node.write_policy(suspend=True)
    with node.agent(policy_file=node.policy_file, policy_configmap=None) as agent:
        agent.wait_for("Finished run")
        node.api.stop()
        node.write_policy()
        agent.wait_for_metric("imagesweep_refused_runs_total", 2, source="pods")
        assert unneeded.id in node.containerd.ids()
        assert "pods" in agent.fetch("/readyz?verbose")[1]
        node.api.start()
        assert gone(node, unneeded, seconds=60), agent.text()


def test_a_bad_policy_leaves_the_last_good_one_in_force(node):
    node.put_configmap(suspend=True)
    with node.agent() as agent:
        agent.wait_for("Finished run")
        node.put_configmap(interval="1s")
        assert wait_until(lambda: agent.metric("imagesweep_config_last_reload_successful") == 0, 10)
        assert agent.running and agent.fetch("/readyz")[0] == 200
        node.put_configmap(suspend=True, interval="2m")
        assert wait_until(lambda: agent.metric("imagesweep_config_last_reload_successful") == 1, 10)


def test_without_a_policy_it_is_up_and_not_ready_and_removes_nothing(node):
    unneeded = node.load("registry.example/shop/old:v1")
    node.age()
    with node.agent() as agent:
        assert wait_until(lambda: agent.fetch("/livez")[0] == 200, 10)
        status, text = agent.fetch("/readyz?verbose")
        assert status == 503 and "[-]policy" in text, text
        assert unneeded.id in node.containerd.ids()
        node.put_configmap()
        assert gone(node, unneeded)


# X02, without a removal in progress
def test_sigterm_ends_it_with_0_within_10_seconds(node):
    node.put_configmap()
    with node.agent() as agent:
        agent.wait_for("Finished run")
        assert agent.terminate(seconds=10) == 0


def test_sigterm_ends_it_while_nothing_answers(node):
    node.put_configmap()
    node.api.stop()
    node.containerd.stop()
    with node.agent() as agent:
        assert wait_until(lambda: agent.fetch("/livez")[0] == 200, 10)
        assert agent.terminate(seconds=10) == 0
