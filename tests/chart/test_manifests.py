"""The plain manifests have the objects of the chart."""
import subprocess

import pytest
import yaml

from lab import agent
from lab.chart import ROOT, kustomize, one, render

LABELS = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def by_name(objects):
    return {(item["kind"], item["metadata"]["name"]): item for item in objects}


def plain(objects):
    """Without the labels that mark the objects as Helm's."""
    for item in objects:
        for holder in (item, *([item["spec"]["template"]] if item["kind"] in ("DaemonSet", "Deployment") else [])):
            for label in LABELS:
                del holder["metadata"]["labels"][label]
    return by_name(objects)


def test_nothing_generated_is_out_of_date():
    result = subprocess.run([ROOT / "scripts/manifests", "--check"], text=True, capture_output=True)
    assert result.returncode == 0, result.stderr


def test_the_namespace_admits_the_pods():
    install = list(yaml.safe_load_all((ROOT / "manifests/install.yaml").read_text()))
    namespace = install[0]
    assert namespace["kind"] == "Namespace"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    quota = one(install, "ResourceQuota")["spec"]["scopeSelector"]["matchExpressions"][0]
    assert quota["values"] == [one(install, "DaemonSet")["spec"]["template"]["spec"]["priorityClassName"]]
    for item in install[1:]:
        # Events about Nodes are in "default".
        home = "default" if item["metadata"]["name"] == "imagesweep-events" else namespace["metadata"]["name"]
        assert item["kind"].startswith("Cluster") or item["metadata"]["namespace"] == home


def test_kustomize_base_is_install_yaml():
    install = by_name(yaml.safe_load_all((ROOT / "manifests/install.yaml").read_text()))
    assert by_name(kustomize("base")) == install


@pytest.mark.usefixtures("each_helm")
@pytest.mark.parametrize("overlay, runtime", [("k3s", "k3s"), ("cri-o", "cri-o")])
def test_an_overlay_for_a_runtime_is_the_chart_with_its_preset(overlay, runtime):
    chart = plain(render({"runtime": {"name": runtime}, "resourceQuota": {"enabled": True}}, arguments=["--skip-tests"]))
    built = by_name(kustomize(f"overlays/{overlay}"))
    del built["Namespace", "imagesweep-system"]
    assert built == chart


def test_the_overlay_for_minikube_changes_the_policy_alone():
    base, built = by_name(kustomize("base")), by_name(kustomize("overlays/minikube"))
    different = [name for name in base if base[name] != built[name]]
    assert base.keys() == built.keys() and different == [("ConfigMap", "imagesweep-policy")]
    agent.run("policy", "validate", "-f", "-", input=built["ConfigMap", "imagesweep-policy"]["data"]["policy.yaml"])


def test_the_overlay_for_prometheus_adds_its_objects_alone():
    base, built = by_name(kustomize("base")), by_name(kustomize("overlays/prometheus"))
    assert {name: built[name] for name in base} == base
    assert {kind for kind, _ in built.keys() - base.keys()} == {"PodMonitor", "PrometheusRule"}
