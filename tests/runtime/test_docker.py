"""On a real Docker, of both versions: which images stay, which go with all their names, and how they come back."""
import json
import os
import tarfile

import pytest

from lab.dockerd import CREATED, DEBIAN, EXITED, LATEST, RUNNING
from runtime.docker_host import ATTEMPTS, DOCKERFILE, NEVER, reasons, removed

PAUSED = "paused"


def run_container(docker, image, name, state, **config):
    docker.dockerd.run(image, name, RUNNING if state == PAUSED else state, **config)
    if state == PAUSED:
        docker.dockerd.request("POST", f"/containers/{name}/pause")


def sweep_until(docker, left):
    """The steps of a classic build stay as images, each of which is free when the one above it is gone."""
    for _ in range(ATTEMPTS):
        if docker.dockerd.ids() == left:
            return
        docker.age()
        docker.sweep()
    assert docker.dockerd.ids() == left


def restore(docker, *arguments, code=0):
    """Runs the restore for real, in the network of the registry. Returns id -> outcome, and the report."""
    docker_cell = docker.dockerd.cell
    text = docker.run("restore", *arguments, "--dry-run=false", "-o", "json", code=code, enter=docker_cell.enter(),
                      policy_file=None, without_kubernetes=None, count_unwatched=None).stdout
    report = json.loads(text)
    return {image["id"]: image["outcome"] for image in report["images"]}, report


@pytest.mark.parametrize("state", [CREATED, RUNNING, PAUSED, EXITED])
def test_keeps_the_image_when_only_one_container_uses_it(docker, state):
    used = docker.load("registry.example/shop/api:v1", "registry.example/shop/api:latest")
    unneeded = docker.load("registry.example/shop/old:v1")
    run_container(docker, used.names[0], "api", state)
    try:
        check_that_only_unneeded_goes(docker, used, unneeded)
    finally:
        docker.dockerd.remove_container("api")  # a frozen process would outlive its Docker
    docker.age()
    docker.sweep_away(used)


def check_that_only_unneeded_goes(docker, used, unneeded):
    before = docker.names(used)
    docker.write_policy(keep=NEVER, removeSuperseded=True)
    docker.age()
    assert docker.verdicts() == {used.id: ("Keep", "InUse"), unneeded.id: ("Remove", "Age")}
    report = docker.sweep()
    assert removed(report) == {unneeded.id} and report["verification"]["missing"] == []
    assert docker.names(used) == before
    described = docker.described(used)
    assert {one["container"] for one in described["usedBy"]} == {"api"}


@pytest.mark.parametrize("by", ["id", "short id", "digest", "moved tag"])
def test_keeps_the_image_when_its_container_names_it_otherwise(docker, by):
    used = docker.pull("shop/api:v1", by_digest=by == "digest")
    name = {"id": used.id, "short id": used.id[7:19], "digest": used.digest_references[0],
            "moved tag": used.names[0]}[by]
    docker.dockerd.run(name, "api", EXITED)
    new = docker.pull("shop/api:v1")
    assert new.names[0] in docker.names(new) and used.names[0] not in docker.names(used)
    docker.write_policy(keep=NEVER, removeSuperseded=True, maximumAge="1s")
    docker.age()
    assert docker.verdicts()[used.id] == ("Keep", "InUse")
    assert removed(docker.sweep()) == {new.id}
    docker.dockerd.request("POST", "/containers/api/start")


def test_removes_all_names_when_an_image_has_several_repositories(docker):
    image = docker.load("registry.example/shop/api:v1", "registry.example/shop/api:latest", "mirror.example/api:v1")
    docker.dockerd.tag(image.names[0], "docker.io/library/api:dev")
    pulled = docker.pull("shop/web:v1", "shop/web:latest", "mirror/web:v1")
    docker.write_policy(keep=NEVER)
    docker.age()
    assert set(docker.described(image)["names"]) == {*image.names, "docker.io/library/api:dev"}
    docker.sweep_away(image, pulled)
    assert docker.dockerd.ids() == set() and docker.dockerd.names() == set()


def test_removes_dangling_images_when_local_images_may_go(docker):
    docker.write_policy(maximumAge="0s")
    first = docker.build("shop/app:dev")
    docker.age()  # imagesweep sees its tag
    second = docker.build("shop/app:dev")
    assert {first.id, second.id} <= docker.dockerd.ids()
    docker.age()
    assert docker.verdicts()[first.id] == ("Keep", "LocalOnly")
    assert removed(docker.sweep()) == set()
    for local_only in ("UnlessSuperseded", "Never"):
        docker.write_policy(maximumAge="0s", keep={"localOnly": local_only})
        assert docker.verdicts()[first.id] == ("Remove", "Dangling")
    assert removed(docker.sweep()) == {first.id}
    assert second.id in docker.dockerd.ids()
    docker.write_policy(keep=NEVER)  # by age also the steps of the builds, which never had a tag
    sweep_until(docker, set())


def test_knows_from_dockers_own_store_that_an_image_had_a_tag(docker):
    first, second = docker.build("shop/app:dev"), docker.build("shop/app:dev")
    docker.write_policy(maximumAge="0s", keep={"localOnly": "UnlessSuperseded"})
    docker.age()
    own_store = docker.dockerd.version == DEBIAN
    assert docker.verdicts()[first.id][1] == ("Dangling" if own_store else "LocalOnly")
    assert removed(docker.sweep()) == ({first.id} if own_store else set())
    assert second.id in docker.dockerd.ids()


def test_keeps_images_that_never_had_a_name(docker):
    base = docker.build("team/tool:v1")
    docker.dockerd.create(base.id, "work")
    committed = docker.dockerd.request("POST", "/commit", body={}, container="work").json["Id"]
    docker.dockerd.remove_container("work")
    never_named = {committed, docker.build(None).id}
    docker.write_policy(maximumAge="0s", keep={"localOnly": "UnlessSuperseded"})
    docker.age()
    assert {docker.verdicts()[one] for one in never_named} == {("Keep", "LocalOnly")}
    docker.sweep()
    assert never_named <= docker.dockerd.ids()
    docker.write_policy(maximumAge="0s", keep=NEVER)
    assert {docker.verdicts()[one][1] for one in never_named} == {"Idle"}


def test_keeps_images_when_no_registry_is_known_to_have_them(docker):
    loaded, built = docker.load("registry.example/team/loaded:v1"), docker.build("team/built:v1")
    nameless, retagged = docker.build(None), docker.pull("shop/retagged:v1")
    docker.dockerd.tag(retagged.names[0], "golden.example/retagged:v1")
    pulled, by_digest = docker.pull("shop/pulled:v1"), docker.pull("shop/pinned:v1", by_digest=True)
    pushed = docker.build(docker.registry.name("team/pushed:v1"))
    assert docker.described(pushed)["origin"]["kind"] != "Pulled"
    docker.dockerd.push(pushed.names[0])
    local = {image.id: image for image in (loaded, built, nameless, retagged)}
    ours = {image.id: image for image in (pulled, by_digest, pushed)}
    origins = {image["id"]: image["origin"] for image in docker.json("images")["images"]}
    assert {origins[one]["kind"] for one in ours} == {"Pulled"}, origins
    assert all(origins[one]["kind"] in ("Local", "Unknown") for one in local), origins
    assert "127.0.0.1" in origins[pulled.id]["evidence"] and "Docker" in origins[pulled.id]["evidence"]
    docker.age()
    verdicts = docker.verdicts()
    assert {verdicts[one] for one in local} == {("Keep", "LocalOnly")}
    assert "LocalOnly" in docker.run("explain", built.names[0]).stdout
    assert "ORIGIN" in docker.run("images", "-o", "wide").stdout
    assert removed(docker.sweep()) == set(ours)
    assert set(local) <= docker.dockerd.ids() and not set(ours) & docker.dockerd.ids()
    docker.write_policy(keep=NEVER)
    sweep_until(docker, set())


def test_keeps_images_of_buildkit_when_no_registry_is_known_to_have_them(docker, tmp_path):
    (tmp_path / "pause").write_bytes((docker.workdir.path / "pause").read_bytes())
    (tmp_path / "content").write_text("built")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    built = docker.dockerd.build_by_buildkit("team/built:v1", tmp_path)
    docker.age()
    assert docker.verdicts()[built] == ("Keep", "LocalOnly")
    assert removed(docker.sweep()) == set() and built in docker.dockerd.ids()
    docker.write_policy(keep=NEVER)
    assert removed(docker.sweep()) == {built}
    assert docker.dockerd.ids() == set()


def test_restores_a_pulled_image_with_all_its_tags(docker):
    image, pinned = docker.pull("shop/api:v1", "shop/api:latest", "mirror/api:v1"), docker.pull("shop/web:v1",
                                                                                              by_digest=True)
    before = {one.id: docker.names(one) for one in (image, pinned)}
    docker.age()
    docker.sweep_away(image, pinned)
    for one in (image, pinned):
        outcomes, report = restore(docker, "--image", one.id)
        assert outcomes == {one.id: "Restored"}, report
    assert set(image.names) <= docker.names(image), report
    assert docker.names(pinned) == before[pinned.id], report
    # The list of Docker 29 has the digest of one repository only, and not always of the same one.
    tags = [{name for name in names if "@" not in name} for names in (docker.names(image), before[image.id])]
    assert tags[0] == tags[1], report
    docker.dockerd.run(image.names[1], "api")
    assert restore(docker, "--image", image.id)[0] == {image.id: "AlreadyHere"}


def test_leaves_a_tag_that_moved_on_alone_when_it_restores(docker):
    old = docker.pull("shop/api:v1")
    docker.age()
    assert removed(docker.sweep()) == {old.id}
    new = docker.pull("shop/api:v1")
    outcomes, report = restore(docker, "--last")
    assert outcomes == {old.id: "Restored"}, report
    assert new.names[0] in docker.names(new) and old.names[0] not in docker.names(old)


@pytest.mark.parametrize("made", ["built", "loaded"])
def test_restores_a_local_image_from_its_archive(docker, made):
    names = ("registry.example/team/app:v1", "mirror.example/app:latest")
    image = docker.load(names[0], size=2 << 20) if made == "loaded" else docker.build(names[0], size=2 << 20)
    docker.dockerd.tag(names[0], names[1])
    archives, before = docker.state / "archive", docker.names(image)
    docker.write_policy(keep={**NEVER, "archive": {"path": str(archives), "maxSize": "1Gi"}})
    docker.age()
    docker.sweep_away(image)
    (file,) = os.listdir(archives)
    with tarfile.open(archives / file) as archive:
        assert "manifest.json" in archive.getnames()
    outcomes, report = restore(docker, "--image", image.id)
    assert outcomes == {image.id: "Restored"}, report
    assert set(names) <= docker.names(image) and docker.names(image) == before
    docker.dockerd.run(image.id, "app")


def test_keeps_an_image_when_its_archive_is_too_large(docker):
    image = docker.load("registry.example/team/app:v1", size=4 << 20)
    archives = docker.state / "archive"
    docker.write_policy(keep={**NEVER, "archive": {"path": str(archives), "maxSize": "1Mi"}})
    docker.age()
    report = docker.sweep()
    assert "more than keep.archive.maxSize allows" in reasons(report)[image.id]
    assert image.id in docker.dockerd.ids() and os.listdir(archives) == []


def test_shows_the_service_of_a_compose_project_as_the_user(docker):
    image = docker.load("registry.example/shop/db:v1")
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "db"}
    docker.dockerd.run(image.names[0], "shop-db-1", EXITED, Labels=labels)
    assert [one["container"] for one in docker.described(image)["usedBy"]] == ["shop/db"]
    assert "shop/db" in docker.run("explain", image.names[0]).stdout
    assert "shop/db" in docker.run("images", "-o", "wide").stdout
    docker.sweep()
    assert "shop/db" in docker.run("report").stdout


def test_keeps_the_image_of_a_service_when_no_task_of_it_runs(docker):
    image, unneeded = docker.load("registry.example/shop/api:v1"), docker.load("registry.example/shop/old:v1")
    docker.dockerd.request("POST", "/swarm/init", body={"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
    docker.dockerd.request("POST", "/services/create", body={
        "Name": "api", "Mode": {"Replicated": {"Replicas": 0}},
        "TaskTemplate": {"ContainerSpec": {"Image": image.names[0]}}})
    docker.write_policy(keep=NEVER)
    docker.age()
    assert docker.verdicts()[image.id] == ("Keep", "InUse")
    assert removed(docker.sweep()) == {unneeded.id}
    docker.dockerd.request("DELETE", "/services/api")
    docker.age()
    assert removed(docker.sweep()) == {image.id}


def mount_image(docker, image, mounted, name, state=CREATED):
    return docker.dockerd.run(image, name, state, HostConfig={
        "NetworkMode": "none", "Mounts": [{"Type": "image", "Source": mounted, "Target": "/mounted"}]})


@pytest.mark.parametrize("docker", [LATEST], indirect=True)
@pytest.mark.parametrize("state", [CREATED, RUNNING])
@pytest.mark.parametrize("by", ["tag", "id"])
def test_keeps_an_image_when_a_container_mounts_it(docker, by, state):
    app, files = docker.load("registry.example/shop/app:v1"), docker.load("registry.example/shop/files:v1")
    unneeded = docker.load("registry.example/shop/old:v1")
    mount_image(docker, app.names[0], files.id if by == "id" else files.names[0], "app", state)
    docker.write_policy(keep=NEVER)
    docker.age()
    verdicts = docker.verdicts()
    assert verdicts[app.id] == verdicts[files.id] == ("Keep", "InUse")
    assert removed(docker.sweep()) == {unneeded.id}
    docker.dockerd.remove_container("app")
    docker.age()
    assert removed(docker.sweep()) == {app.id, files.id}


@pytest.mark.parametrize("docker", [LATEST], indirect=True)
def test_removes_nothing_when_the_tag_of_a_mounted_image_moved(docker):
    app, files = docker.load("registry.example/shop/app:v1"), docker.load("registry.example/shop/files:v1")
    docker.write_policy(keep=NEVER)
    docker.age()
    assert set(docker.verdicts().values()) == {("Remove", "Age")}
    mount_image(docker, app.names[0], files.names[0], "app")
    docker.load("registry.example/shop/files:v1")
    before = docker.dockerd.ids()
    report = docker.sweep(code=1)
    assert report["refused"]["source"] == "runtime" or "containers" in report["refused"]["source"], report["refused"]
    assert "mounts the image" in report["refused"]["error"] and report["outcomes"] == []
    assert docker.dockerd.ids() == before


def test_reports_the_runtime_and_its_figures_in_every_command(docker):
    image = docker.load("registry.example/shop/api:v1", size=1 << 20)
    listed = docker.json("images")
    assert listed["runtime"]["name"] == "docker" and listed["runtime"]["endpoint"] == docker.dockerd.endpoint
    assert listed["runtime"]["version"].startswith(docker.dockerd.version + ".")
    assert listed["evidence"]["containers"]["count"] == 0 and listed["evidence"]["withoutKubernetes"]
    assert docker.described(image)["sizeBytes"] >= 1 << 20
    assert image.names[0] in docker.run("plan").stdout
    docker.write_policy(keep=NEVER)
    docker.age()
    assert docker.json("plan")["removalOrder"] == [image.id]
    assert docker.run("analyze").stdout and docker.run("sweep").stdout
    assert removed(docker.sweep()) == {image.id} and image.names[0] in docker.run("report").stdout
