"""A real API server accepts all objects to apply, and the manifests need nothing else."""
import pytest
import yaml

from lab.cell import wait_until
from lab.chart import CI, NAMESPACE, ROOT, template
from lab.daemonset import IMAGE, DaemonSet

# Only the names of the Prometheus operator, without its own schemas.
MONITORING = [{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": f"{kind.lower()}s.monitoring.coreos.com"},
               "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced",
                        "names": {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()},
                        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                            "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}
              for kind in ("PodMonitor", "ServiceMonitor", "PrometheusRule")]


def names(text):
    return sorted((item["kind"].lower(), item["metadata"]["name"]) for item in yaml.safe_load_all(text) if item)


def test_the_api_server_accepts_every_rendering(cluster):
    kubernetes = cluster.kubernetes
    kubernetes.apply(*MONITORING, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
                     # Pods are admitted only if their accounts exist.
                     {"apiVersion": "v1", "kind": "ServiceAccount",
                      "metadata": {"name": "imagesweep", "namespace": NAMESPACE}})
    assert wait_until(lambda: "prometheusrules" in kubernetes.kubectl("api-resources", "-o", "name"), 30, every=0.5)
    texts = {name: template(files=[path]).stdout for name, path in CI.items()}
    for overlay in ("minikube", "k3s", "cri-o", "prometheus"):
        texts[overlay] = kubernetes.kubectl("kustomize", ROOT / "manifests/kustomize/overlays" / overlay)
    texts["install.yaml"] = (ROOT / "manifests/install.yaml").read_text()
    for name, text in texts.items():
        output = kubernetes.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=text)
        assert len(output.splitlines()) == len(names(text)), f"{name}:\n{output}"


def test_install_yaml_alone_is_enough_and_goes_without_a_trace(cluster):
    kubernetes = cluster.kubernetes
    daemonset = DaemonSet(kubernetes)
    unneeded = cluster.image("old", "other")
    path = ROOT / "manifests/install.yaml"
    kubernetes.kubectl("apply", "-f", path)
    daemonset.await_ready()
    assert daemonset.pod()["status"]["containerStatuses"][0]["image"] == IMAGE
    assert daemonset.wait_for("Finished run", dryRun=True)["removed"] == 0
    assert unneeded.id in cluster.containerd.ids()
    kubernetes.kubectl("delete", "-f", path)
    assert kubernetes.kubectl("get", "-f", path, "--ignore-not-found", "-o", "name") == ""


def test_pod_security_admits_the_pods_only_where_the_namespace_says_so(cluster):
    """The label is needed, and without it the error of the namespace names Pod Security."""
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace(level="baseline")
    with pytest.raises(AssertionError):
        daemonset.install(ready_within=5)
    assert daemonset.pods() == []
    assert "violates PodSecurity" in daemonset.kubectl("describe", "daemonset", "imagesweep")
    daemonset.make_namespace()
    daemonset.kubectl("rollout", "restart", "daemonset/imagesweep")
    daemonset.await_ready()
