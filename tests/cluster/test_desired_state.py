"""The images that the cluster will start again without a pod on the node now: rollbacks, scale-ups, and the next run of
a CronJob.

Every container has imagePullPolicy Never, and the registry of the images does not exist, so a container that starts had
its image.
"""
import contextlib

import pytest
import yaml

from lab import agent
from lab.cell import wait_until
from lab.chart import CHART, one, render
from lab.daemonset import DaemonSet

MODES = ("direct", "index")  # the source of workloads
KEEP = {"localOnly": "Never", "workloads": {"enabled": True, "rollbackRevisions": 2}}
FAILURES = ("Failed", "ErrImageNeverPull", "BackOff", "InspectFailed", "FailedMount")


def sweeping(cluster, *arguments, kubeconfig=None):
    sources = [*cluster.sources(), *arguments]
    if kubeconfig:
        sources.append(f"--kubeconfig={kubeconfig}")
        sources.remove(f"--kubeconfig={cluster.kubernetes.kubeconfig}")
    return agent.Agent(*sources, enter=cluster.kubernetes.cell.enter(), address="127.0.0.1:18080")


@contextlib.contextmanager
def workloads(cluster, mode):
    """The flags with which an agent reads workloads in MODE, while that works: something publishes the index."""
    if mode == "direct":
        yield ["--workloads=direct"]
        return
    name = f"--index-name={cluster.namespace}/imagesweep"
    with agent.Agent(f"--kubeconfig={cluster.kubernetes.kubeconfig}", name, enter=cluster.kubernetes.cell.enter(),
                     address="127.0.0.1:18090", command="index") as leader:
        leader.wait_for("Published index")
        yield ["--workloads=index", name]


class Scenario:
    """`needed`: ten needs without a container, some of them of several images. `unneeded`: the images to remove."""

    def __init__(self, cluster):
        self._cluster, self._kubectl = cluster, cluster.kubernetes.kubectl
        self.versions = [cluster.image(f"v{number}", "web") for number in range(4)]
        self.needed = {"web, one back": self.versions[2], "web, two back": self.versions[1]}
        self.unneeded = {"web, three back": self.versions[0]}
        for name in ("idle", "idle-init", "idle-sidecar", "idle-volume", "nightly", "later", "pending", "alone"):
            self.needed[name] = cluster.image("v1", name)
        for name in ("left-over", "other", "ended"):
            self.unneeded[name] = cluster.image("v1", name)
        self._rollouts()
        self._apply(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "idle"}, "spec": self._controller(
                "idle", replicas=0, template=self._idle())},
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "alone"}, "spec": self._controller(
                "alone", replicas=0, template=self._pod(self.needed["alone"]))},
            {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {
                "schedule": "0 0 1 1 *",
                "jobTemplate": {"spec": self._job(self.needed["nightly"])}}},
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "later"}, "spec": {
                "suspend": True, **self._job(self.needed["later"])}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pending"}, "spec": self._pod(
                self.needed["pending"], initContainers=[self._container(
                    "first", "registry.example/shop/absent:v1", command=["/pause", "0"])])})
        cluster.deploy(self.unneeded["ended"], name="ended", replicas=1)
        self._kubectl("delete", "deployment", "ended", "-n", cluster.namespace, "--wait", "--cascade=foreground")
        assert wait_until(lambda: "ErrImageNeverPull" in self._waiting("pending"), 60, every=0.5)

    def add_crash_looping(self):
        """A pod between two starts of its container. The image of its running container is needed too."""
        self.needed["crash-looping"] = self._cluster.image("v1", "crash-looping")
        self.needed["running"] = self.versions[3]
        self._apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "crash-looping"}, "spec": self._pod(
            self.needed["crash-looping"], containers=[self._container(
                "main", self.needed["crash-looping"].names[0], command=["/pause", "1"])])})
        assert wait_until(lambda: any(status.get("restartCount", 0) > 0 for pod in self._cluster.pods("crash-looping")
                                      for status in pod["status"].get("containerStatuses", ())), 90, every=0.5)

    def add_left_overs(self):
        """More unneeded images: of a deleted pod, Job, and workload, and an image that was only pulled."""
        for name in ("pod", "job"):
            self.unneeded[f"{name}, deleted"] = image = self._cluster.image("v1", f"deleted-{name}")
            job = self._job(image)
            job["template"]["spec"]["containers"][0]["command"] = ["/pause", "0"]
            item = {"apiVersion": "v1", "kind": "Pod", "spec": self._pod(image)} if name == "pod" else \
                {"apiVersion": "batch/v1", "kind": "Job", "spec": job}
            self._apply({**item, "metadata": {"name": f"deleted-{name}"}})
            self._kubectl("wait", f"{name}/deleted-{name}", "-n", self._cluster.namespace, "--timeout=60s",
                          "--for=condition=Ready" if name == "pod" else "--for=condition=Complete")
            self._kubectl("delete", name, f"deleted-{name}", "-n", self._cluster.namespace, "--wait",
                          "--cascade=foreground")
        for name in ("pulled-once", "pulled-twice"):
            self.unneeded[name] = self._cluster.image("v1", name)

    def lost(self):
        ids = self._cluster.containerd.ids()
        return sorted(name for name, image in self.needed.items() if image.id not in ids)

    def start_everything(self):
        """Returns when everything that is needed runs or has run."""
        cluster = self._cluster
        for kind, name in (("statefulset", "db"), ("daemonset", "log")):
            self._kubectl("rollout", "undo", f"{kind}/{name}", "-n", cluster.namespace)
        for name in ("deployment/idle", "replicaset/alone"):
            self._kubectl("scale", name, "--replicas=1", "-n", cluster.namespace)
        self._kubectl("create", "job", "now", "--from=cronjob/nightly", "-n", cluster.namespace)
        self._kubectl("patch", "job", "later", "-n", cluster.namespace, "-p", '{"spec": {"suspend": false}}')
        cluster.image("v1", "absent")
        for arguments, image in (([], self.versions[2]), (["--to-revision=2"], self.versions[1])):
            self._kubectl("rollout", "undo", "deployment/web", "-n", cluster.namespace, *arguments)
            assert wait_until(lambda: image.names[0] in self._running("web"), 60, every=0.5), self._events()
        wanted = {"db": self.needed["db, one back"], "log": self.needed["log, one back"], "idle": self.needed["idle"],
                  "alone": self.needed["alone"], "nightly": self.needed["nightly"], "later": self.needed["later"]}
        for name, image in wanted.items():
            assert wait_until(lambda: image.names[0] in self._running(name), 60, every=0.5), (name, self._events())
        assert wait_until(lambda: self.needed["pending"].names[0] in self._running("pending"), 60, every=0.5)
        assert not self._events(), self._events()

    def _rollouts(self):
        cluster = self._cluster
        for image in self.versions:
            cluster.deploy(image, name="web", replicas=1)
        for name, kind, more in (("db", "StatefulSet", {"serviceName": "db"}), ("log", "DaemonSet", {})):
            old, new = (cluster.image(f"v{number}", name) for number in (1, 2))
            self.needed[f"{name}, one back"] = old
            for image in (old, new):
                self._apply({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
                             "spec": self._controller(name, template=self._pod(image), **more)})
                self._kubectl("rollout", "status", f"{kind.lower()}/{name}", "-n", cluster.namespace, "--timeout=60s")
            assert wait_until(lambda: self._running(name) == {new.names[0]}, 60, every=0.5)

    def _idle(self):
        pod = self._pod(self.needed["idle"], initContainers=[
            self._container("init", self.needed["idle-init"].names[0], command=["/pause", "0"]),
            self._container("sidecar", self.needed["idle-sidecar"].names[0], restartPolicy="Always")])
        pod["volumes"] = [{"name": "files", "image": {"reference": self.needed["idle-volume"].names[0],
                                                      "pullPolicy": "Never"}}]
        pod["containers"][0]["volumeMounts"] = [{"name": "files", "mountPath": "/files"}]
        return pod

    def _job(self, image):
        return {"backoffLimit": 0, "template": {"metadata": {"labels": {"app": self._name(image)}},
                                                "spec": self._pod(image, restartPolicy="Never")}}

    @staticmethod
    def _name(image):
        return image.names[0].rpartition("/")[2].partition(":")[0]

    @staticmethod
    def _controller(name, template, **fields):
        return {"selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": template}, **fields}

    @staticmethod
    def _container(name, image, **fields):
        return {"name": name, "image": image, "imagePullPolicy": "Never", **fields}

    def _pod(self, image, **fields):
        return {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1,
                "containers": [self._container("main", image.names[0])], **fields}

    def _apply(self, *objects):
        for item in objects:
            item["metadata"]["namespace"] = self._cluster.namespace
            item["metadata"].setdefault("labels", {"app": item["metadata"]["name"]})
        self._cluster.kubernetes.apply(*objects)

    def _running(self, app):
        """The main images of its running pods."""
        return {status["image"] for pod in self._cluster.pods(app)
                for status in pod["status"].get("containerStatuses", ()) if "running" in status["state"]}

    def _waiting(self, app):
        return {status["state"].get("waiting", {}).get("reason") for pod in self._cluster.pods(app)
                for status in pod["status"].get("initContainerStatuses", ())}

    def _events(self):
        """Failures with images, except for the pod that waits for one."""
        return [event["message"] for event in self._cluster.kubernetes.get("events", "-n", self._cluster.namespace)["items"]
                if event["reason"] in FAILURES and event["involvedObject"]["name"] != "pending"]


def forget_events(cluster):
    cluster.kubernetes.kubectl("delete", "events", "--all", "-n", cluster.namespace)


@pytest.mark.parametrize("mode", MODES)
def test_keeps_only_needed_images(cluster, mode):
    cluster.put_policy(suspend=True)
    scenario = Scenario(cluster)
    with workloads(cluster, mode) as arguments, sweeping(cluster, *arguments) as running:
        running.wait_for("Loaded policy")
        assert cluster.sweep_until_gone(*scenario.unneeded.values(), seconds=120, keep=KEEP), running.text()
        runs = len(running.lines)
        cluster.put_policy(keep=KEEP, limits={"maxFailures": 99})
        running.wait_for("Finished run", after=runs)
        assert scenario.lost() == []
        codes = {image["id"]: image["code"] for image in cluster.json("images", *arguments)["images"]}
        assert {name: codes[image.id] for name, image in scenario.needed.items()} == {
            name: "InUse" if name == "pending" else "Workload" for name in scenario.needed}
        assert running.metric("imagesweep_evidence_age_seconds", source="workloads") < 60
        forget_events(cluster)
        scenario.start_everything()
        assert scenario.lost() == []


# The policy of values.yaml, with workloads from the index. Only the ages, the interval, and dryRun differ from the
# default.
def test_the_charts_defaults_keep_the_ten_needed_images_and_remove_the_eight_others(cluster):
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    scenario = Scenario(cluster)
    scenario.add_crash_looping()
    scenario.add_left_overs()
    assert len(scenario.unneeded) == 8
    chart = yaml.safe_load((CHART / "values.yaml").read_text())["policy"]["config"]
    short = {"dryRun": False, "interval": "1m", "initialDelay": "0s", "minimumAge": "1s", "maximumAge": "2s"}
    daemonset.install(policy={**chart, **short})
    daemonset.wait_for("Finished run", seconds=120)
    assert cluster.gone(*scenario.unneeded.values(), seconds=240), daemonset.text()
    daemonset.wait_for("Finished run", seconds=120, after=len(daemonset.lines()))  # one more finds nothing
    assert scenario.lost() == [], daemonset.text()
    assert any("pause" in name for name in cluster.containerd.names())
    forget_events(cluster)
    scenario.start_everything()
    assert scenario.lost() == []


def test_removes_needed_images_without_workloads(cluster):
    cluster.put_policy(suspend=True)
    scenario = Scenario(cluster)
    with sweeping(cluster) as running:
        running.wait_for("Loaded policy")
        keep = {"localOnly": "Never"}
        assert cluster.sweep_until_gone(*scenario.unneeded.values(), seconds=120, keep=keep), running.text()
        assert wait_until(lambda: len(scenario.lost()) == len(scenario.needed) - 1, 60, every=0.5), scenario.lost()
        assert "pending" not in scenario.lost()


def test_aborts_until_every_workload_kind_can_be_read(cluster):
    cluster.deploy(cluster.image("v1"), replicas=1)
    cluster.put_policy(keep=KEEP)
    unneeded = cluster.image("v1", "other")
    cluster.age(unneeded)
    kubeconfig = account(cluster, "replicasets")
    sources = [f"--kubeconfig={kubeconfig}" if source.startswith("--kubeconfig=") else source
               for source in cluster.sources()]
    result = agent.run("sweep", "--dry-run=false", *sources, code=1, enter=cluster.kubernetes.cell.enter())
    assert "list replicasets" in result.stdout + result.stderr, result
    with sweeping(cluster, "--workloads=direct", kubeconfig=kubeconfig) as running:
        running.wait_for_metric("imagesweep_refused_runs_total", 2, seconds=60, source="workloads")
        assert not running.metric("imagesweep_removals_total")
        assert unneeded.id in cluster.containerd.ids()
        account(cluster)
        assert cluster.gone(unneeded, seconds=150), running.text()


def account(cluster, *withheld):
    """A kubeconfig with the rights of the chart's agent with workloads.mode=direct, except for the resources WITHHELD.
    """
    rules = one(render({"workloads": {"mode": "direct"}}), "ClusterRole")["rules"]
    for rule in rules:
        rule["resources"] = [resource for resource in rule["resources"] if resource not in withheld]
    cluster.kubernetes.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sweeper", "namespace": cluster.namespace}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "sweeper"}, "rules": [
            *rules, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "sweeper"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sweeper"},
         "subjects": [{"kind": "ServiceAccount", "name": "sweeper", "namespace": cluster.namespace}]})
    token = cluster.kubernetes.kubectl("create", "token", "sweeper", "-n", cluster.namespace).strip()
    config = yaml.safe_load(open(cluster.kubernetes.kubeconfig))
    config["users"][0]["user"] = {"token": token}
    path = cluster.kubernetes.directory / "sweeper.conf"
    path.write_text(yaml.safe_dump(config))
    return path
