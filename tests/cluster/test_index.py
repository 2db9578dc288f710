"""`imagesweep index`: one of several processes reads the workloads of the whole cluster, and the agents use what it
publishes."""
import json
import signal
import time

import pytest

from lab import agent
from lab.cell import wait_until

NAME = "imagesweep"
KEEP = {"localOnly": "Never", "workloads": {"enabled": True, "rollbackRevisions": 2}}


class Indexes:
    """Processes of `imagesweep index` on separate ports, by number."""

    def __init__(self, cluster):
        self.cluster, self.all = cluster, []
        self.name = f"{cluster.namespace}/{NAME}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.all:
            one.__exit__()

    def start(self):
        one = agent.Agent(f"--kubeconfig={self.cluster.kubernetes.kubeconfig}", f"--index-name={self.name}",
                          enter=self.cluster.kubernetes.cell.enter(), address=f"127.0.0.1:{18090 + len(self.all)}",
                          command="index")
        self.all.append(one)
        return one

    def sources(self):
        return ["--workloads=index", f"--index-name={self.name}"]

    def head(self):
        return self.cluster.kubernetes.get("configmap", NAME, "-n", self.cluster.namespace)["data"]

    def shard(self):
        return f"{NAME}-{self.head()['slot']}-0"

    def lease(self):
        return self.cluster.kubernetes.get("lease", NAME, "-n", self.cluster.namespace)["spec"]


@pytest.fixture
def indexes(cluster):
    cluster.deploy(cluster.image("v1"))  # without a pod on the node, every run is refused
    with Indexes(cluster) as indexes:
        yield indexes


def idle(cluster, name, image):
    """A Deployment without a pod: only the workload itself needs IMAGE."""
    cluster.kubernetes.apply({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": cluster.namespace, "name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "app", "image": image.names[0]}]}}}})


def code_of(cluster, indexes, image):
    """The code of the verdict on IMAGE, from a command that reads the index."""
    listed = cluster.json("images", *indexes.sources())["images"]
    return next(one for one in listed if one["id"] == image.id)["code"]


@pytest.mark.newest_kubernetes
def test_agents_keep_what_the_leader_publishes_and_another_takes_over(cluster, indexes):
    needed, second, unneeded = (cluster.image("v1", name) for name in ("needed", "second", "unneeded"))
    cluster.put_policy(keep=KEEP, suspend=True)
    first = indexes.start()
    first.wait_for("Became leader")
    first.wait_for("Published index", generation=1)
    other = indexes.start()
    assert wait_until(lambda: other.fetch("/readyz?verbose")[1].startswith("[+]lease standby"), 10)
    assert (first.metric("imagesweep_index_leader"), other.metric("imagesweep_index_leader")) == (1, 0)
    assert first.fetch("/readyz")[0] == other.fetch("/readyz")[0] == first.fetch("/healthz")[0] == 200

    with agent.Agent(*cluster.sources(), *indexes.sources(), enter=cluster.kubernetes.cell.enter(),
                     address="127.0.0.1:18080") as node:
        node.wait_for("Finished run")
        created = time.monotonic()
        idle(cluster, "idle", needed)
        line = first.wait_for("Published index", generation=2)
        assert line["readAt"] - created < 30, first.text()
        assert code_of(cluster, indexes, needed) == "Workload"

        # The leader dies without releasing the Lease, so the other process has to wait until it expires.
        before = indexes.lease()
        killed = time.monotonic()
        first.signal(signal.SIGKILL)
        leads = other.wait_for("Became leader", seconds=30)["readAt"] - killed
        published = other.wait_for("Published index", seconds=30)["readAt"] - killed
        print(f"after kill -9 of the leader: another leads after {leads:.1f} s, has published after {published:.1f} s")
        assert 4 < leads <= min(published, 45)  # the Lease lasts 15 s, and was renewed within the last ten
        after = indexes.lease()
        assert after["holderIdentity"] != before["holderIdentity"]
        assert after["leaseTransitions"] == before["leaseTransitions"] + 1

        idle(cluster, "second", second)
        assert wait_until(lambda: int(indexes.head()["generation"]) >= 4, 15, every=0.2), other.text()
        assert cluster.sweep_until_gone(unneeded, keep=KEEP), node.text()
        assert {needed.id, second.id} <= cluster.containerd.ids()
    # A stop releases the Lease, so the next process leads at once.
    third = indexes.start()
    assert wait_until(lambda: "standby" in third.fetch("/readyz?verbose")[1], 10)
    stopped = time.monotonic()
    assert other.terminate() == 0
    assert third.wait_for("Became leader")["readAt"] - stopped < 12  # sooner than the Lease would have expired


def test_rejects_an_incomplete_index_until_the_leader_restores_it(cluster, indexes):
    needed = cluster.image("v1", "needed")
    cluster.put_policy(keep=KEEP)
    refused = cluster.run("sweep", "--dry-run=false", *indexes.sources(), code=1)
    assert "there is no workload index shop/imagesweep" in refused.stdout + refused.stderr
    idle(cluster, "idle", needed)
    leader = indexes.start()
    leader.wait_for("Published index")
    assert wait_until(lambda: code_of(cluster, indexes, needed) == "Workload", 20)

    def damage(change, message, seconds=20):
        seen = len(leader.lines)
        leader.signal(signal.SIGSTOP)  # otherwise it is restored before the command reads it
        try:
            change()
            result = cluster.run("sweep", "--dry-run=false", *indexes.sources(), code=1)
            assert message in result.stdout + result.stderr and needed.id in cluster.containerd.ids()
        finally:
            leader.signal(signal.SIGCONT)
        leader.wait_for("Published index", after=seen, seconds=seconds)
        assert wait_until(lambda: code_of(cluster, indexes, needed) == "Workload", 20), leader.text()

    kubectl, space = cluster.kubernetes.kubectl, ("-n", cluster.namespace)
    damage(lambda: kubectl("delete", "configmap", indexes.shard(), *space), "is incomplete in generation")
    damage(lambda: kubectl("delete", "configmap", NAME, *space), "there is no workload index")
    damage(lambda: kubectl("patch", "configmap", indexes.shard(), *space, "-p",
                           '{"binaryData": {"payload": "AAAA"}}'), "sha256")
    # An agent that saw a newer heartbeat of the same set still accepts it. The leader's next heartbeat meets a
    # conflict.
    damage(lambda: kubectl("patch", "configmap", NAME, *space, "-p",
                           '{"data": {"heartbeat": "2020-01-01T00:00:00.000Z"}}'), "was last true", seconds=80)


def test_publishes_nothing_when_the_leader_cannot_read_workloads(cluster, indexes):
    leader = indexes.start()
    leader.wait_for("Published index")
    generation = int(indexes.head()["generation"])
    cluster.kubernetes.stop_api_server()
    leader.wait_for("Lost leadership", seconds=30)
    assert leader.metric("imagesweep_index_leader") == 0 and leader.fetch("/healthz")[0] == 200
    assert wait_until(lambda: leader.fetch("/readyz")[0] == 503, 15)
    cluster.kubernetes.start_api_server()
    leader.wait_for("Published index", seconds=90, generation=generation + 1)
    assert wait_until(lambda: leader.fetch("/readyz")[0] == 200, 120, every=1), leader.text()


# Inside the network of the cell. kubectl sends at most fifty requests per second.
CREATE = """
import concurrent.futures, http.client, json, ssl, sys, threading
pki, path = sys.argv[1:]
context = ssl.create_default_context(cafile=pki + "/ca.crt")
context.load_cert_chain(pki + "/admin.crt", pki + "/admin.key")
local = threading.local()
def create(item):
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPSConnection("10.77.0.1", 6443, context=context)
    local.connection.request("POST", path, json.dumps(item), {"Content-Type": "application/json"})
    answer = local.connection.getresponse()
    text = answer.read()
    assert answer.status == 201, text
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(create, json.load(sys.stdin)))
"""


def test_a_cluster_of_ten_thousand_workloads(cluster, indexes):
    workloads, containers = 10_000, 3
    references = workloads * containers + 1  # and the pod that runs on the node

    def replica_set(number):
        name = f"service-{number}"
        return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name},
                "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
                    "metadata": {"labels": {"app": name}}, "spec": {"containers": [
                        {"name": f"c{i}", "image": f"registry.example/team-{number % 97}/{name}-{i}:1.{number}"}
                        for i in range(containers)]}}}}

    path = f"/apis/apps/v1/namespaces/{cluster.namespace}/replicasets"
    cluster.kubernetes.cell.run("python3", "-c", CREATE, str(cluster.kubernetes.directory / "pki"), path,
                                input=json.dumps([replica_set(number) for number in range(workloads)]), timeout=900)
    leader = indexes.start()
    line = leader.wait_for("Published index", seconds=120, references=references)
    idle(cluster, "one-more", cluster.image("v1", "one-more"))
    again = leader.wait_for("Published index", seconds=60, references=references + 1)
    rss = leader.metric("process_resident_memory_bytes") / 2**20
    print(f"{workloads} workloads, {line['references']} references: {line['shards']} shards of {line['bytes']} bytes, "
          f"published in {line['seconds']:.2f} s, again in {again['seconds']:.2f} s, leader's RSS {rss:.0f} MiB")
    assert line["seconds"] <= 5 and again["seconds"] <= 5
    assert rss <= 128
