"""A node like one that its owner cleaned up by hand and documented: seven services in use, old images of five of them,
one with a second tag, and two abandoned projects. Where a tag proves the order, the program must have the same result:
each image is removed for the same reason, and the report has the tables of the document. Where only the owner knew that
"v2" came before "latest", the image stays."""
import json

import pytest

from runtime.services import OLD_PROJECTS, POLICY, SERVICES, WITHOUT_ORDER, grid

@pytest.fixture
def cleaned(node):
    node.write_policy(**POLICY)
    used, old = {}, []
    for service, (deployed, previous) in SERVICES.items():
        for tags in previous:
            old.append(node.load(*(f"docker.io/library/{service}:{tag}" for tag in tags), local=True))
        used[service] = node.load(f"docker.io/library/{service}:{deployed}", local=True)
        node.start_pod(f"{service}-0", used[service])
    kept = [node.load(f"docker.io/library/{service}:{tag}", local=True) for service, tag in WITHOUT_ORDER.items()]
    for name in OLD_PROJECTS:
        old.append(node.load("docker.io/" + (name if "/" in name else f"library/{name}"), local=True))
    node.age()
    before = len(node.containerd.ids())
    sweep = node.sweep()
    return node, used, old, before, sweep, kept


def test_removes_the_documented_images_and_reports_them(cleaned):
    node, used, old, before, sweep, kept = cleaned
    assert {outcome["id"] for outcome in sweep["outcomes"]} == {image.id for image in old}
    assert {outcome["outcome"] for outcome in sweep["outcomes"]} == {"Removed"}
    left = set(node.containerd.ids())
    assert left == {image.id for image in [*used.values(), *kept]} | {node.pause.id, node.system.id}

    report = node.run("report", "-o", "markdown").stdout
    superseded = {(row[0], row[1]): row[3] for row in grid(report, r"Removed, round \d: Superseded")}
    assert superseded == {(f"docker.io/library/{service}", tag): reason for service, (_, previous) in SERVICES.items()
                          for reasons in previous.values() for tag, reason in reasons.items()}
    projects = grid(report, r'Removed, round \d: rule "old-projects"')
    assert sorted(f"{row[0]}:{row[1]}" for row in projects) == ["docker.io/bilali/todo-backend:latest",
                                                               "docker.io/library/fastapt-task:dev"]

    retained = {row[0]: (row[1], row[3]) for row in grid(report, "Retained: in use")}
    versions = {row[0]: row[1:] for row in grid(report, "Versions")}
    for service, (deployed, previous) in SERVICES.items():
        repository = f"docker.io/library/{service}"
        assert retained[repository] == (deployed, f"default/{service}-0")
        gone = sorted(tag for tags in previous for tag in tags)
        assert versions[repository][0] == deployed
        assert sorted(versions[repository][2].split(", ")) == (gone or ["(none)"])

    disk = {row[0]: row[1:] for row in grid(report, "Disk space")}
    assert disk["Images"] == [str(before), str(before - len(old))]
    assert "All 8 referenced images are present." in report
    assert any(f"backend-api:{tag} can be pulled again: you may have to build it again" in report.replace("\\", "")
               for tag in ("latest", "v2-idempotency"))
    assert "## Policy followed" in report and "lastPerRepository: 1" in report


def test_the_run_is_remembered_and_other_policies_can_be_tried_on_what_is_left(cleaned):
    node, used, _, _, sweep, _ = cleaned
    run, = json.loads(node.run("history", "-o", "json", runtime_endpoint=None, kubeconfig=None, node_name=None,
                               policy_file=None).stdout)["runs"]
    assert (run["run"], run["result"], run["removed"]) == (sweep["run"], "success", len(sweep["outcomes"]))

    leftover = node.load("registry.example/shop/leftover:v1")
    changes = node.json("plan", "--diff", "--profile=Aggressive", policy_file=None)["changes"]
    assert leftover.id not in {change["id"] for change in changes if change["then"]["verdict"] == "Remove"}, \
        "just seen: too young for any profile"
    analysis = node.json("analyze")
    assert {image["id"] for image in analysis["required"]["images"]} == \
        {image.id for image in used.values()} | {node.pause.id, node.system.id}
    assert leftover.id in {image["id"] for image in analysis["idle"]["images"]}
    assert [option["name"] for option in analysis["options"] if option["recommended"]] == ["Balanced"]
