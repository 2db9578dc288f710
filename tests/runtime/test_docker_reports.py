"""Hosts with Docker that their owners cleaned up by hand and documented, with images that the builder of each Docker
built: the tables of the documents come out of reports and analyses."""
import json
import re

import pytest

from lab import agent, images
from lab.disk import workdir_on_a_disk
from lab.dockerd import DEBIAN, EXITED, LATEST
from runtime.docker_host import MIB, NEVER, DockerHost, removed, started
from runtime.services import OLD_PROJECTS, POLICY, SERVICES, WITHOUT_ORDER, grid

SOURCE = "https://git.example/todo"
PROJECT = "todo"
LABELLED = """FROM scratch
COPY pause /
COPY app /app
ENV PASSWORD=hunter2
LABEL org.opencontainers.image.source={source} org.opencontainers.image.revision={revision}
{compose}
ENTRYPOINT ["/pause"]
"""
PLAIN = 'FROM scratch\nCOPY pause /\nCOPY app /app\nENTRYPOINT ["/pause"]\n'


def compose(project, service):
    return {"com.docker.compose.project": project, "com.docker.compose.service": service}


def build_service(docker, service, tags):
    """A version of a service as Docker Compose builds it. Its revision is its first tag."""
    labels = " ".join(f"{key}={value}" for key, value in compose(PROJECT, service).items())
    dockerfile = LABELLED.format(source=f"{SOURCE}/{service}", revision=tags[0], compose=f"LABEL {labels}")
    image = docker.docker_build(f"{service}:{tags[0]}", dockerfile, {"app": f"{service} {tags[0]}".encode() * 1000})
    for tag in tags[1:]:
        docker.dockerd.tag(f"{service}:{tags[0]}", f"{service}:{tag}")
    return image


def tagged(docker):
    """The IDs of images with a tag. 20.10 lists steps of its builder without a tag when their image is gone."""
    return {one["Id"] for one in docker.dockerd.images() if set(one["RepoTags"] or ()) - {"<none>:<none>"}}


@pytest.fixture
def cleaned(docker):
    """The host after the run, the images in use, the removed ones, the numbers of images before and after, and the
    report of the run."""
    docker.write_policy(**POLICY)
    used, old = {}, []
    for service, (deployed, previous) in SERVICES.items():
        old += [build_service(docker, service, tags) for tags in previous]
        used[service] = build_service(docker, service, (deployed,))
        docker.dockerd.run(f"{service}:{deployed}", f"{PROJECT}-{service}-1", Labels=compose(PROJECT, service))
    kept = [build_service(docker, service, (tag,)) for service, tag in WITHOUT_ORDER.items()]
    old += [docker.docker_build(name, PLAIN, {"app": name.encode()}) for name in OLD_PROJECTS]
    docker.age()
    before = docker.dockerd.ids()
    report = docker.sweep()
    assert removed(report) == {image.id for image in old}, report["outcomes"]
    assert tagged(docker) == before - removed(report) == {one.id for one in [*used.values(), *kept]}
    return docker, used, old, (len(before), len(docker.dockerd.ids())), report


def test_reports_the_tables_of_a_cleanup_of_services(cleaned):
    docker, _, _, counts, _ = cleaned
    report = docker.run("report", "-o", "markdown").stdout
    superseded = {(row[0], row[1]): row[3] for row in grid(report, r"Removed, round \d: Superseded")}
    assert superseded == {(f"docker.io/library/{service}", tag): reason for service, (_, previous) in SERVICES.items()
                          for reasons in previous.values() for tag, reason in reasons.items()}
    projects = grid(report, r'Removed, round \d: rule "old-projects"')
    assert sorted(f"{row[0]}:{row[1]}" for row in projects) == ["docker.io/bilali/todo-backend:latest",
                                                               "docker.io/library/fastapt-task:dev"]
    assert len(re.findall(r"\d+ images?, [\d.]+.*B by the runtime's sizes", report)) == 2

    retained = {row[0]: (row[1], row[3]) for row in grid(report, "Retained: in use")}
    versions = {row[0]: row[1:] for row in grid(report, "Versions")}
    for service, (deployed, previous) in SERVICES.items():
        repository = f"docker.io/library/{service}"
        assert retained[repository] == (deployed, f"{PROJECT}/{service}")
        gone = sorted(tag for tags in previous for tag in tags)
        assert versions[repository][0] == deployed
        assert sorted(versions[repository][2].split(", ")) == (gone or ["(none)"])

    disk = {row[0]: row[1:] for row in grid(report, "Disk space")}
    assert disk["Images"] == [str(count) for count in counts]
    if docker.dockerd.version == LATEST:  # 20.10 lists steps of the same size now
        assert disk["Total size"][0] != disk["Total size"][1]
    assert "%" in disk["Reclaimable"][1]
    assert "All 7 referenced images are present." in report
    assert "## Policy followed" in report


def test_tells_how_to_build_the_removed_images_again(cleaned):
    docker, _, old, _, report = cleaned
    page = docker.run("report", "-o", "markdown").stdout
    again = {(row[0], row[1]): tuple(row[2:]) for row in grid(page, "Building images again")}
    for service, (_, previous) in SERVICES.items():
        for tags in previous:
            for tag in tags:
                assert again[f"docker.io/library/{service}", tag] == (
                    f"{SOURCE}/{service}", tags[0], f"{PROJECT}/{service}")
    steps = page.partition("```dockerfile\n")[2].partition("```")[0]
    assert steps.count("COPY") == 2 * len(old) and "# docker.io/bilali/todo-backend:latest\n" in steps
    assert "hunter2" not in page and "hunter2" not in json.dumps(report)

    text = docker.run("report").stdout
    for expected in ("Building images again", f"{SOURCE}/audit-service", f"{PROJECT}/audit-service",
                     "Replaced by v3-idempotency-fixed", "Same as v2-idempotency (duplicate tag)"):
        assert expected in text
    assert f"imagesweep restore --run {report['run']} --dry-run=false" in text
    sources = {"policy_file": None, "without_kubernetes": None, "count_unwatched": None}
    restored = json.loads(docker.run("restore", "--last", "-o", "json", code=None, **sources).stdout)
    assert {one["outcome"] for one in restored["images"]} == {"CannotComeBack"}
    assert all(f"imagesweep report --run {report['run']}" in one["error"] for one in restored["images"])


def test_prints_the_commands_of_docker(docker):
    pulled = docker.pull("shop/api:v1")
    docker.age()
    assert "`docker image prune --all`" in docker.run("analyze").stdout
    assert removed(docker.sweep()) == {pulled.id}
    assert f"docker pull {pulled.digest_references[0]}" in docker.run("report", "-o", "markdown").stdout


# Compose service -> containers, of the system that its owner must not break, and what may go.
COMPOSE_V2, ASSISTANT = "signals-v2", "signals-assistant"
RUNNING_SERVICES = {
    COMPOSE_V2: ("orchestrator", "cascade-detector", "aggressor-analyzer", "enhanced-alerts", "oi-monitor",
                 "liquidation-collector", "volume-analyzer"),
    ASSISTANT: ("telegram-bot", "market-data")}
SHARED = {"redis:alpine": ("redis-v2", "redis-coordinator"),
          "python:3.11-slim": ("worker-1", "worker-2", "worker-3", "worker-4")}
GARBAGE = ("signals-scheduler:latest", f"{COMPOSE_V2}-v2-telegram-bot:latest",
           f"{COMPOSE_V2}-trade-collector-binance:latest", f"{ASSISTANT}-monitoring-grafana:latest")
SELECTIVE = ["signals-scheduler", "*trade-collector*", "*monitoring*"]  # of the second option


@pytest.fixture
def working_system(docker):
    """needed-by column -> image in use; images that nothing uses."""
    needed = {}
    for project, services in RUNNING_SERVICES.items():
        for service in services:
            name = f"{project}-{service}:latest"
            image = docker.docker_build(name, PLAIN, {"app": name.encode()})
            docker.dockerd.run(name, f"{project}-{service}-1", Labels=compose(project, service))
            needed[name] = image, {f"{project}/{service}"}
    for name, containers in SHARED.items():
        image = docker.docker_build(name, PLAIN, {"app": name.encode()})
        for container in containers:
            docker.dockerd.run(name, container, EXITED if container == "worker-4" else "running")
        needed[name] = image, set(containers)
    idle = {name: docker.docker_build(name, PLAIN, {"app": name.encode()}) for name in GARBAGE}
    return docker, needed, idle


def test_analyses_the_dependencies_of_a_working_system(working_system):
    docker, needed, idle = working_system
    docker.age()
    page = docker.run("analyze", "-o", "markdown").stdout
    required = {row[0]: row[2] for row in grid(page, "Required")}
    assert set(required) == {f"docker.io/library/{name}" for name in needed}
    for name, (_, users) in needed.items():
        shown = required[f"docker.io/library/{name}"]
        assert all(user in users for user in re.sub(r" and \d+ more$", "", shown).split(", ")), shown
    assert required["docker.io/library/python:3.11-slim"].endswith(" and 1 more")
    assert re.search(r"Total: 11 images, [\d.]+.?i?B", page)
    assert {row[0] for row in grid(page, "Idle")} == {f"docker.io/library/{name}" for name in idle}

    options = {row[0]: row[1:] for row in grid(page, "Options")}
    assert options["Conservative"][0] == "0 images, 0B" and options["Conservative"][3] == "none: no image is removed"
    assert any(name.endswith("(recommended)") and row[3].startswith("none") for name, row in options.items())
    assert options["everything unused"][0].startswith(f"{len(idle)} images")
    assert options["everything unused"][3].startswith("HIGH")
    text = docker.run("analyze").stdout
    assert f"{COMPOSE_V2}/cascade-detector" in text and "everything unused" in text


def test_removes_only_the_selected_unused_images_of_a_working_system(working_system):
    docker, needed, idle = working_system
    rule = {"name": "selective", "selector": {"images": [*SELECTIVE, f"{ASSISTANT}-*"]}, "action": "Remove"}
    docker.write_policy(maximumAge="0s", keep=NEVER, rules=[rule])
    docker.age()
    docker.sweep_away(*(image for name, image in idle.items() if "telegram-bot" not in name))
    assert tagged(docker) == {image.id for image, _ in needed.values()} | {
        image.id for name, image in idle.items() if "telegram-bot" in name}
    assert len(docker.dockerd.get("/containers/json")) == 14, "all containers but worker-4 still run"
    assert "All 11 referenced images are present." in docker.run("report", "-o", "markdown").stdout


def test_keeps_two_versions_of_each_service_and_reports_large_images(docker):
    sizes = {"ml": 5, "backend": 2, "frontend": 1}  # MiB
    versions = {}
    for service, size in sizes.items():
        for version in range(1, 5):
            name = f"shop/{service}:v{version}"
            content = images.noise(name, size * MIB)
            versions[name] = docker.docker_build(name, PLAIN, {"app": content})
    docker.dockerd.run("shop/ml:v4", "ml", Labels=compose("shop", "ml"))
    docker.write_policy(maximumAge="0s", keep=NEVER, rules=[
        {"name": "newest-two", "selector": {"images": ["shop/*"]}, "keepLast": 2, "action": "Remove"}],
        sizeLimits=[{"images": "shop/ml", "maxSize": "4Mi"}, {"images": "shop/*", "maxSize": "3Mi"}])
    docker.age()
    docker.sweep_away(*(image for name, image in versions.items() if name[-1] in "12"))
    report = docker.run("report", "-o", "markdown").stdout
    limits = {row[0]: row[2] for row in grid(report, "Over the size limit")}
    assert [limits[f"docker.io/shop/ml:v{version}"] for version in (3, 4)] == ["4.0MiB", "4.0MiB"]
    kept = {row[0]: row[1:] for row in grid(report, "Versions")}
    assert kept["docker.io/shop/ml"] == ["v4", "v3", "v1, v2"]
    assert kept["docker.io/shop/backend"] == ["(none)", "v3, v4", "v1, v2"]


BACKENDS = 22
SEPARATE = """FROM scratch
COPY pause /
COPY service.conf /etc/
COPY site-packages /usr/lib/python3/
COPY context /app
"""
SHARED_BASE = """FROM scratch
COPY pause /
COPY site-packages /usr/lib/python3/
COPY context /app
COPY service.conf /etc/
"""


@pytest.fixture(params=[DEBIAN])  # its builder ignores the times of files when it looks for a layer to use again
def roomy(request):
    """A host whose Docker has a separate file system, so that its driver is that of a usual host."""
    with workdir_on_a_disk(1024 * MIB) as workdir, started(workdir, request.param) as dockerd:
        yield DockerHost(workdir, dockerd)


def build_backends(docker, tag, dockerfile):
    files = {"site-packages/torch.so": images.noise("torch", MIB + MIB // 2), "context/backend.bin":
             images.noise("context", 2 * MIB)}
    return [docker.docker_build(f"trading/service-{number:02}:{tag}", dockerfile,
                                {**files, "service.conf": f"{tag} {number}\n".encode() * 100}, mtime=number)
            for number in range(BACKENDS)]


def analyze_layers(docker, *arguments, output="json"):
    text = agent.run("analyze", "--layers", f"--runtime-endpoint={docker.dockerd.endpoint}", "-o", output,
                     *arguments).stdout
    return json.loads(text) if output == "json" else text


def test_shows_the_layers_that_services_could_share_and_what_a_shared_base_saves(roomy, tmp_path):
    bloated = build_backends(roomy, "bloated", SEPARATE)
    before = analyze_layers(roomy, "--limit=100")
    assert before["unread"] == [] and before["totals"]["imagesWithoutHistory"] == 0, before["unread"]
    context, library = before["lookAlikes"][:2]
    for group, size in ((context, 2 * MIB), (library, MIB + MIB // 2)):
        # The files are equal but for their times, as after separate checkouts, so the diff IDs of their layers differ.
        assert group["sameInstruction"] and group["layers"] == len(group["repositories"]) == BACKENDS
        assert group["instruction"].startswith("COPY ")
        assert group["savedBytes"] == group["bytes"] * (BACKENDS - 1) >= size * (BACKENDS - 1)
    assert "/app" in context["instruction"] and "/usr/lib/python3" in library["instruction"]
    told = [one["text"] for one in before["advice"] if one["kind"] == "share-layer"]
    assert told and f"{BACKENDS} images have separate layers" in told[0], before["advice"]
    text = analyze_layers(roomy, "--limit=3", output="table")
    assert "Reuse ratio" in text and "more; --limit shows them" in text
    assert "| Saves | Layers |" in analyze_layers(roomy, output="markdown")

    for image in bloated:
        roomy.dockerd.remove_image(image.names[0])
    build_backends(roomy, "repaired", SHARED_BASE)
    after = analyze_layers(roomy, "--limit=100")
    assert after["lookAlikes"] == [], after["lookAlikes"]
    shared = max(after["heaviestLayers"], key=lambda layer: layer["bytes"])
    assert len(shared["images"]) == BACKENDS and "/app" in shared["instruction"]

    files = tmp_path / "before.json", tmp_path / "after.json"
    for file, document in zip(files, (before, after)):
        file.write_text(json.dumps(document))
    compared = json.loads(agent.run("analyze", "--compare", *files, "-o", "json").stdout)
    measures = {one["name"]: one for one in compared["measures"]}
    assert measures["Images"]["change"] == 0
    assert measures["Layer reuse"]["before"] < 60 and measures["Layer reuse"]["after"] > 80
    assert measures["On disk, each layer once"]["changePercent"] < -70
