"""The queries of the chart for Prometheus and Grafana, with a real Prometheus that scrapes a real agent on a real
containerd. Images are removed and pulled again, and sources fail. Each query finds its data."""
import contextlib
import json
import subprocess

import pytest

from lab import agent, images
from lab.cell import wait_until
from lab.chart import CHART, CI, one, render
from lab.containerd import DEBIAN, Containerd
from lab.prometheus import MissingProgram, Prometheus, selectors
from lab.standin_api import StandInApi
from lab.workdir import Workdir

NODE = "worker-1"
DASHBOARD = json.loads((CHART / "dashboards/imagesweep.json").read_text())
# Sooner than in production, so that a test sees it.
RULES = one(render({"prometheusRule": {"staleAfterSeconds": 1}}, files=[CI["monitoring"]]), "PrometheusRule")["spec"]
ALERTS = {rule["alert"]: rule["expr"] for rule in RULES["groups"][0]["rules"] if "alert" in rule}
QUERIES = {panel["title"]: [target["expr"].replace("$__rate_interval", "5m").replace("$node", ".*")
                            for target in panel["targets"]]
           for panel in DASHBOARD["panels"] if panel["type"] != "row"}


class MonitoredNode:
    """One agent, all events that it can report, and the Prometheus that recorded them."""

    def __init__(self, workdir, containerd, api, stack):
        self.containerd, self.api, self._edits = containerd, api, 0
        self._policy, self._base = workdir.path / "policy.yaml", images.pause_layer(workdir.path)
        containerd.load_pause()
        used = self._load("registry.example/system/proxy:v1")
        self._load("registry.example/shop/large:v1", size=3 << 20)
        self.unneeded = self._load("registry.example/shop/old:v1")
        pod = containerd.cri.start_pod("proxy", {"c0": used.id}, namespace="kube-system")
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        api.put({"apiVersion": "v1", "kind": "Pod",
                 "metadata": {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid},
                 "spec": {"nodeName": NODE, "hostNetwork": True,
                          "containers": [{"name": "c0", "image": used.names[0]}]}, "status": {"phase": "Running"}})
        self._write(dryRun=True)
        self.agent = stack.enter_context(agent.Agent(
            f"--runtime-endpoint={containerd.endpoint}", f"--kubeconfig={api.kubeconfig}", f"--node-name={NODE}",
            f"--policy-file={self._policy}", f"--state-dir={workdir.path / 'state'}"))
        self.agent.wait_for("Finished run")
        directory = workdir.path / "prometheus"
        directory.mkdir()
        self.prometheus = stack.enter_context(Prometheus(directory, self.agent.address, NODE, RULES))
        self.prometheus.await_value("imagesweep_build_info", lambda value: value == 1)
        self.in_dry_run = self.prometheus.query(ALERTS["ImagesweepDryRunStillOn"])

    def happen(self):
        metric = self.prometheus.await_value
        self._until("imagesweep_image_removals_total{result='success'}", 1, dryRun=False)
        self.containerd.load(self._archive, pulled=[self.unneeded])
        self._until("imagesweep_removed_then_pulled_total", 1, dryRun=True)
        self.api.stop()
        self._until("imagesweep_refused_runs_total{source='pods'}", 1, dryRun=True)
        self.api.start()
        self.containerd.stop()
        self._policy.write_text("dryRun: nonsense\n")
        metric("imagesweep_cri_up == bool 0", lambda value: value == 1)
        metric("imagesweep_config_last_reload_successful == bool 0", lambda value: value == 1)

    def _until(self, query, at_least, **fields):
        """Edits the policy, each time to another text, which makes the agent run at once, until the change was seen."""
        for _ in range(10):
            self._write(**fields)
            with contextlib.suppress(AssertionError):
                return self.prometheus.await_value(query, lambda value: value >= at_least, seconds=2)
        raise AssertionError(f"{query} is {self.prometheus.query(query)}:\n{self.agent.text()}")

    def _write(self, **fields):
        self._edits += 1
        self._policy.write_text(agent.policy(**{
            "limits": {"maxFailures": self._edits}, "keep": {"images": ["registry.example/shop/large:*"]},
            "sizeLimits": [{"images": "registry.example/shop/*", "maxSize": "1Mi"}], **fields}))

    def _load(self, name, size=0):
        self._archive = images.Archive()
        image = self._archive.add([name], [self._base, images.layer({"name": name.encode()}, name, size)])
        self.containerd.load(self._archive, pulled=[image])
        return image


@pytest.fixture(scope="module")
def host():
    with Workdir() as workdir, StandInApi(workdir.path / "objects") as api, \
            Containerd(workdir, DEBIAN) as containerd, contextlib.ExitStack() as stack:
        try:
            made = MonitoredNode(workdir, containerd, api, stack)
        except MissingProgram as missing:
            pytest.fail(str(missing), pytrace=False)
        made.happen()
        yield made


def test_promtool_has_no_complaint(host):
    text = host.agent.fetch("/metrics")[1]
    result = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_everything_that_is_served_is_scraped(host):
    served = {line.split()[2] for line in host.agent.fetch("/metrics")[1].splitlines() if line.startswith("# TYPE")}
    names = set(host.prometheus.get("label/__name__/values"))
    assert len(served) > 25 and served <= names | {name.removesuffix("_count") for name in names}
    assert host.prometheus.query("up") == [({"__name__": "up", "instance": host.agent.address, "job": "imagesweep",
                                             "node": NODE}, 1)]


@pytest.mark.parametrize("title", QUERIES)
def test_a_panel_has_data(host, title):
    for query in QUERIES[title]:
        assert host.prometheus.query(query), query
        for selector in selectors(query):
            assert host.prometheus.query(selector), f"{selector} is no series of the agent"


# The events as the dashboard shows them.
@pytest.mark.parametrize("title, holds", [
    ("Nodes", lambda value: value == 1),
    ("In dry run", lambda value: value == 1),
    ("Suspended", lambda value: value == 0),
    ("Policy not in force", lambda value: value == 1),
    ("Runtime not reachable", lambda value: value == 1),
    ("Removed, 24 h", lambda value: value >= 1),
    ("Aborted runs, 24 h", lambda value: value >= 1),
    ("Image filesystem in use", lambda value: 0 < value < 1),
    ("Images by state", lambda value: value >= 3),
    ("Bytes of images by state", lambda value: value > 3 << 20),
    ("Runs by result", lambda value: value >= 3),
    ("Removals by reason", lambda value: value >= 1),
    ("Removed and pulled again", lambda value: value >= 1),
    ("Larger than allowed", lambda value: value == 1),
    ("Age of evidence", lambda value: value > 0),
    ("Recheck to removal, p99", lambda value: 0 < value < 0.05),
    ("Calls to the runtime", lambda value: value > 0),
    ("Requests to Kubernetes", lambda value: value > 0),
    ("Memory of the agent", lambda value: 1 << 20 < value < 1 << 30),
])
def test_a_panel_tells_what_happened(host, title, holds):
    (query,) = QUERIES[title]
    assert holds(host.prometheus.value(query)), host.prometheus.query(query)


def test_the_dashboard_s_variable_knows_the_node(host):
    (variable,) = [one for one in DASHBOARD["templating"]["list"] if one["name"] == "node"]
    metric, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").split(", ")
    assert host.prometheus.get(f"label/{label}/values", **{"match[]": metric}) == [NODE]


# The expression of each alert. Where it waits for minutes or for a full disk, only the number differs.
@pytest.mark.parametrize("alert, figure, instead", [
    ("ImagesweepPolicyInvalid", "[5m]", "[1s]"),
    ("ImagesweepRuntimeUnreachable", "[5m]", "[1s]"),
    ("ImagesweepRunsStale", "> 1", "> 1"),
    ("ImagesweepRemovalErrors", "> 0", ">= 0"),
    ("ImagesweepNotReclaimingEnough", "> 0.85) and on (instance, job) imagesweep_dry_run == 0",
     "> 0) and on (instance, job) imagesweep_dry_run == 1"),
])
def test_an_alert_s_expression_finds_its_series(host, alert, figure, instead):
    expression = " ".join(ALERTS[alert].split())
    assert figure in expression
    (found,) = wait_until(lambda: host.prometheus.query(expression.replace(figure, instead)), 10, every=0.2)
    assert found[0]["node"] == NODE, "the alert names the node"
    for selector in selectors(expression):
        assert host.prometheus.query(selector), f"{selector} is no series of the agent"


def test_dry_run_still_on_finds_its_series(host):
    assert host.in_dry_run == [({"instance": host.agent.address, "job": "imagesweep", "node": NODE}, 1)]
    assert set(ALERTS) == {"ImagesweepPolicyInvalid", "ImagesweepRuntimeUnreachable", "ImagesweepRunsStale",
                           "ImagesweepRemovalErrors", "ImagesweepNotReclaimingEnough", "ImagesweepDryRunStillOn"}


def test_prometheus_evaluates_all_rules(host):
    (group,) = host.prometheus.get("rules")["groups"]
    assert len(group["rules"]) == len(RULES["groups"][0]["rules"])
    assert {(rule["health"], rule.get("lastError", "")) for rule in group["rules"]} == {("ok", "")}
    pending = {rule["name"] for rule in group["rules"] if rule.get("state") == "pending"}
    assert "ImagesweepRunsStale" in pending
