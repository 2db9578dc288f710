"""The memory that a large or unusual API server costs the agent: little more than an ordinary one."""
import pathlib
import subprocess
import sys

import pytest

from lab import agent, crowded_runtime, runtimes
from lab.cell import wait_until
from lab.memory_cgroup import memory_cgroup
from lab.standin_api import StandInApi
from lab.workdir import Workdir

MEBIBYTE = 1 << 20
LIMIT = 64 * MEBIBYTE  # of the chart
MOST = 8 * MEBIBYTE  # more than an agent on the same node before


def peak(agent):
    """The greatest resident set of the agent so far, in bytes."""
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
        node.api.store.forget_history()  # ends the watch, so that the agent also lists
        node.put_configmap(dryRun=True, interval="2m")
        refused = agent.wait_for("Run aborted", seconds=60)
        assert "pods" in refused["err"], refused
        assert agent.running
        assert peak(agent) - ordinary <= MOST


def crowd(node):
    """250 running and 1,000 finished pods, with the managedFields that an API server adds."""
    fields = {"managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:{i}": {"f:" + "x" * 90: {}} for i in range(100)}}]}
    for number in range(250):
        put_pod(node, f"running{number}", "Running", metadata=fields)
    for number in range(1000):
        put_pod(node, f"done{number}", "Succeeded", metadata=fields)


# Everything at once. The kernel's count for the container decides, not the process's own figures.
def test_the_memory_cgroup_of_an_agent_among_many_pods_and_strange_answers_stays_below_40_mebibytes(node):
    crowd(node)
    node.put_configmap(dryRun=True)
    with memory_cgroup(LIMIT) as cgroup:
        with agent.Agent(*node.sources(policy_file=None, policy_configmap="imagesweep-system/imagesweep-policy"),
                         enter=cgroup.enter()) as running:
            running.wait_for("Finished run", seconds=60)
            for status, body in ((503, b"e" * (30 * MEBIBYTE)), (200, b" " * (70 * MEBIBYTE))):
                node.api.store.instead = lambda path: (status, body) if path.startswith("/api/v1/pods?") else None
                node.api.store.forget_history()
                before = len(running.lines)
                node.put_configmap(dryRun=True, interval=f"{status}s")
                running.wait_for("Run aborted", seconds=60, after=before)
                node.api.store.instead = lambda path: None
                before = len(running.lines)
                assert wait_until(lambda: running.wait_for("Finished run", seconds=5, after=before), 60)
            assert running.running
            print(f"peak {cgroup.peak() / MEBIBYTE:.1f} MiB")
            assert cgroup.peak() <= 40 * MEBIBYTE


@pytest.fixture
def crowded():
    """A function that starts an agent in a cgroup of LIMIT, on a node with a given number of images, and of containers
    with annotations of a given number of bytes."""
    with Workdir() as workdir, StandInApi(workdir.path / "objects") as api, memory_cgroup(LIMIT) as cgroup:
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1", "uid": "6d1f0a52"}})
        api.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "tenant", "name": "one", "uid": "uid-one"},
                 "spec": {"nodeName": "node1", "containers": [{"name": "c", "image": "registry.example/team-0/service-0:v1"}]},
                 "status": {"phase": "Running"}})
        api.put({"apiVersion": "v1", "kind": "ConfigMap",
                 "metadata": {"namespace": "imagesweep-system", "name": "imagesweep-policy"},
                 "data": {"policy.yaml": agent.policy(dryRun=True)}})
        socket, processes = workdir.path / "crowded.sock", []

        def start(images, containers, annotation):
            runtimes.note("CRI server of the tests")
            processes.append(subprocess.Popen([sys.executable, crowded_runtime.__file__, socket, workdir.path,
                                               *map(str, (images, containers, annotation))]))
            assert wait_until(socket.exists, 20)
            running = agent.Agent(
                f"--runtime-endpoint=unix://{socket}", f"--kubeconfig={api.kubeconfig}", "--node-name=node1",
                "--policy-configmap=imagesweep-system/imagesweep-policy", f"--state-dir={workdir.path / 'state'}",
                enter=cgroup.enter())
            processes.append(running)
            return running, cgroup
        try:
            yield start
        finally:
            for process in reversed(processes):
                if isinstance(process, subprocess.Popen):
                    process.terminate()
                    process.wait()
                else:
                    process.__exit__()


@pytest.mark.parametrize("images, containers, annotation", [(10000, 100, 10), (500, 500, 118 << 10)],
                         ids=["10,000 images", "60 MiB of containers"])
def test_a_crowded_runtime_is_read_within_the_limit(crowded, images, containers, annotation):
    running, cgroup = crowded(images, containers, annotation)
    finished = running.wait_for("Finished run", seconds=90)
    assert finished["images"] == images, finished
    assert running.running
    print(f"peak {cgroup.peak() / MEBIBYTE:.1f} MiB")
    assert cgroup.peak() < LIMIT
