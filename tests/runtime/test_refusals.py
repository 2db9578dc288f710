"""Without evidence, the program removes nothing: it refuses with exit code 1 and names the source."""
import pytest

pytestmark = pytest.mark.crio  # except where no runtime matters


@pytest.fixture
def prepared(node):
    """A node with one image to remove and one in use. The removal must be possible, otherwise these tests prove
    nothing."""
    node.unneeded = node.load("registry.example/shop/old:v1")
    node.used = node.load("registry.example/shop/api:v1")
    node.pod = node.start_pod("api-0", node.used)
    node.age()
    assert node.verdicts()[node.unneeded.id][0] == "Remove"
    node.before = node.containerd.names()
    return node


def refuse(node, source, **replaced):
    for command in (("plan",), ("sweep",), ("sweep", "--dry-run=false")):
        result = node.run(*command, code=1, **replaced)
        assert source in result.stderr, result.stderr
    assert node.containerd.names() == node.before


def test_wrong_socket(prepared):
    missing = prepared.workdir.path / "no.sock"
    refuse(prepared, "no.sock", runtime_endpoint=f"unix://{missing}")


def test_a_file_that_is_no_socket(prepared):
    file = prepared.workdir.path / "file"
    file.write_text("")
    refuse(prepared, str(file), runtime_endpoint=f"unix://{file}")


def test_runtime_away(prepared):
    prepared.containerd.stop()
    result = prepared.run("sweep", "--dry-run=false", code=1)
    assert str(prepared.containerd.socket) in result.stderr
    prepared.containerd.start()
    assert prepared.containerd.names() == prepared.before


def test_wrong_node_name(prepared):
    refuse(prepared, "other-node", node_name="other-node")


def test_api_server_away(prepared):
    prepared.api.stop()
    refuse(prepared, "pods")
    prepared.api.start()
    assert [outcome["outcome"] for outcome in prepared.sweep()["outcomes"]] == ["Removed"]


@pytest.mark.crio(False)
def test_token_not_accepted(prepared):
    kubeconfig = prepared.workdir.path / "wrong-token"
    text = prepared.api.kubeconfig.read_text()
    kubeconfig.write_text(text.replace("token: ", "token: x"))
    refuse(prepared, "401", kubeconfig=kubeconfig)


@pytest.mark.crio(False)
def test_certificate_of_somebody_else(prepared, tmp_path):
    from lab.standin_api import StandInApi
    with StandInApi(tmp_path / "objects") as other:
        authority = [line for line in other.kubeconfig.read_text().splitlines() if "certificate-authority-data" in line]
        text = [authority[0] if "certificate-authority-data" in line else line
                for line in prepared.api.kubeconfig.read_text().splitlines()]
        kubeconfig = prepared.workdir.path / "wrong-authority"
        kubeconfig.write_text("\n".join(text) + "\n")
        refuse(prepared, "pods", kubeconfig=kubeconfig)


def test_no_pods_though_sandboxes_are_ready(prepared):
    for path in prepared.api.directory.glob("pod.*.json"):
        path.unlink()
    refuse(prepared, "pods")


@pytest.mark.crio(False)
def test_aborts_without_a_cluster_and_without_the_flag(prepared):
    result = prepared.run("sweep", "--dry-run=false", code=2, kubeconfig=None)
    assert "--kubeconfig" in result.stderr and "--without-kubernetes" in result.stderr
    assert prepared.containerd.names() == prepared.before


@pytest.mark.crio(False)
def test_without_a_cluster_there_are_no_workloads_to_read(prepared):
    policy = prepared.workdir.path / "workloads.yaml"
    policy.write_text("apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\nkeep: {workloads: {enabled: true}}\n")
    plan = prepared.json("plan", "--without-kubernetes", kubeconfig=None, policy_file=policy)
    assert plan["evidence"]["workloads"] is None and plan["images"]
    assert prepared.containerd.names() == prepared.before


def test_the_report_of_a_refused_run_names_the_source(prepared):
    prepared.api.stop()
    report = prepared.sweep(code=1)
    assert report["refused"]["source"] in ("pods", "node") and report["refused"]["error"]
    assert report["outcomes"] == [] and not report["evidence"]["complete"]


@pytest.mark.crio(False)
@pytest.mark.parametrize("text, says", [
    ("kind: SweepPolicy\n", "apiVersion"),
    ("apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\nminimumAge: soon\n", "minimumAge"),
    ("", ""),
])
def test_a_bad_policy_is_a_usage_error(prepared, text, says):
    bad = prepared.workdir.path / "bad.yaml"
    bad.write_text(text)
    result = prepared.run("sweep", "--dry-run=false", code=2, policy_file=bad)
    assert says in result.stderr
    assert prepared.containerd.names() == prepared.before
