"""Renders the Helm chart."""
import pathlib
import subprocess
import tempfile

import yaml

from lab import gobuild

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/imagesweep"
CI = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
NAMESPACE = "imagesweep-system"
HELM = gobuild.DEFAULT_HELM  # tests/chart replaces it, to run with each Helm


def helm(*arguments, **options):
    """The completed process of the Helm that HELM names. Raises if it fails, unless check=False."""
    return subprocess.run([gobuild.helm(HELM) / "helm", *map(str, arguments)], text=True, capture_output=True,
                          **{"check": True, **options})


def template(values=None, files=(), arguments=(), release="imagesweep", chart=CHART, **options):
    """`helm template` with VALUES (a dictionary) on top of FILES."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        return helm("template", release, chart, "--namespace", NAMESPACE,
                    *(f"--values={name}" for name in (*files, file.name)), *arguments, **options)


def render(values=None, files=(), arguments=(), release="imagesweep", chart=CHART):
    """The objects as dictionaries."""
    text = template(values, files, arguments, release, chart).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def policy_configmap(objects):
    """The only ConfigMap that the chart fills. Those of the index are empty."""
    return one([item for item in objects if item.get("data")], "ConfigMap")


def one(objects, kind):
    """The only object of that kind."""
    found = [item for item in objects if item["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def kustomize(directory):
    """The objects of DIRECTORY below manifests/kustomize."""
    text = subprocess.run([gobuild.kubernetes() / "kubernetes", "kubectl", "kustomize",
                           ROOT / "manifests/kustomize" / directory], check=True, text=True, capture_output=True).stdout
    return [item for item in yaml.safe_load_all(text) if item]
