"""What a large or a strange API server costs the agent: little more memory than an ordinary one."""
import pathlib

import pytest

MEBIBYTE = 1 << 20
MOST = 8 * MEBIBYTE  # on top of an agent on the same node before


def peak(agent):
    """The agent's greatest resident set so far, in bytes."""
    status = pathlib.Path(f"/proc/{agent._process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def put_pod(node, name, phase, container=None, metadata=None):
    node.api.put({"apiVersion": "v1", "kind": "Pod",
                  "metadata": {"namespace": "tenant", "name": name, "uid": f"uid-{name}", **(metadata or {})},
                  "spec": {"nodeName": "node1",
                           "containers": [{"name": "c", "image": "registry.example/none:v1", **(container or {})}]},
                  "status": {"phase": phase}})


def first_run(node):
    """The peak of an agent up to the end of its first run."""
    node.put_configmap(dryRun=True)
    with node.agent() as agent:
        agent.wait_for("Finished run", seconds=60)
        return peak(agent)


@pytest.fixture
def ordinary(node):
    """The peak with few pods."""
    return first_run(node)


def test_pods_of_a_megabyte(node, ordinary):
    for number in range(60):
        put_pod(node, f"big{number}", "Pending",
                {"env": [{"name": f"E{i}", "value": "x" * 1000} for i in range(1000)]})
    assert first_run(node) - ordinary <= MOST


def test_many_finished_pods(node, ordinary):
    fields = {"managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:{i}": {"f:" + "x" * 90: {}} for i in range(100)}}]}
    for number in range(250):
        put_pod(node, f"running{number}", "Running", metadata=fields)
    for number in range(1000):
        put_pod(node, f"done{number}", "Succeeded", metadata=fields)
    assert first_run(node) - ordinary <= MOST


@pytest.mark.parametrize("status, body", [(503, b"e" * (30 * MEBIBYTE)), (200, b" " * (70 * MEBIBYTE))],
                         ids=["an error page", "blanks"])
def test_answers_that_are_no_list(node, ordinary, status, body):
    node.put_configmap(dryRun=True)
    with node.agent() as agent:
        agent.wait_for("Finished run", seconds=60)
        node.api.store.instead = lambda path: (status, body) if path.startswith("/api/v1/pods?") else None
        node.api.store.forget_history()  # ends the watch, so that it lists too
        node.put_configmap(dryRun=True, interval="2m")
        refused = agent.wait_for("Refused run", seconds=60)
        assert "pods" in refused["err"], refused
        assert agent.running
        assert peak(agent) - ordinary <= MOST
