"""The content of the image, and what it must not contain."""
import json
import subprocess

import pytest

from lab.daemonset import archive


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """(manifest, configuration, root directory) of the image."""
    directory = tmp_path_factory.mktemp("image")
    (directory / "oci").mkdir()
    subprocess.run(["tar", "-C", directory / "oci", "-xf", archive()], check=True)

    def blob(descriptor):
        return directory / "oci/blobs" / descriptor["digest"].replace(":", "/")
    index = json.loads((directory / "oci/index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]).read_text())
    root = directory / "root"
    root.mkdir()
    for layer in manifest["layers"]:
        subprocess.run(["tar", "-C", root, "-xzf", blob(layer)], check=True)
    return manifest, json.loads(blob(manifest["config"]).read_text()), root


def test_is_small_and_has_its_labels(image):
    manifest, configuration, _ = image
    assert sum(layer["size"] for layer in manifest["layers"]) <= 12_000_000
    config = configuration["config"]
    assert (config["Entrypoint"], config["Cmd"], config["User"]) == (["imagesweep"], ["agent"], "0")
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["version"] == "0.1.0" and labels["licenses"] == "Apache-2.0"
    assert labels["revision"] and labels["created"] != "1970-01-01T00:00:00Z" and labels["description"]


def test_nothing_but_the_program_can_be_started(image):
    _, _, root = image
    programs = [path for directory in ("usr/bin", "usr/sbin", "bin", "sbin") for path in (root / directory).glob("*")]
    assert [path.name for path in programs] == ["imagesweep"]
    for path in root.rglob("*"):
        assert path.is_symlink() or not path.stat().st_mode & 0o6022, f"{path} is writable or set-user-id"
    assert {"usr/share/imagesweep/LICENSE", "etc/passwd", "etc/ssl/certs/ca-certificates.crt"} \
        <= {str(path.relative_to(root)) for path in root.rglob("*")}


def test_runs_with_the_libraries_inside(image):
    _, _, root = image
    output = subprocess.run(["chroot", root, "/usr/bin/imagesweep", "version"], check=True, text=True,
                            capture_output=True).stdout
    assert output.startswith("imagesweep 0.1.0")


def test_the_list_of_contents_names_every_library(image):
    _, _, root = image
    listed = json.loads((root / "usr/share/imagesweep/imagesweep.spdx.json").read_text())
    beside = archive().with_name(archive().name.replace(".oci.tar", ".spdx.json"))
    assert json.loads(beside.read_text()) == listed
    assert listed["spdxVersion"] == "SPDX-2.3" and listed["dataLicense"] == "CC0-1.0"
    ids = {package["SPDXID"] for package in listed["packages"]}
    assert len(ids) == len(listed["packages"])
    named = {item[end] for item in listed["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert named - {"SPDXRef-DOCUMENT"} == ids
    debian = {package["name"]: package for package in listed["packages"] if package["name"] != "imagesweep"}
    for package in debian.values():
        assert package["versionInfo"]
        assert package["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/")
    for package in (root / "var/lib/dpkg/status.d").iterdir():
        assert package.name in debian and (root / "usr/share/doc" / package.name / "copyright").stat().st_size
    libraries = {path.name.split(".so")[0] for path in (root / "usr/lib").rglob("*.so*")}
    assert {"libc", "libstdc++", "libcpprest", "libssl", "libcrypto"} <= libraries
    assert {"libc6", "libstdc++6", "libcpprest2.10", "libssl3", "libgrpc++-dev", "libsqlite3-dev"} <= debian.keys()
    program = next(package for package in listed["packages"] if package["name"] == "imagesweep")
    assert "-fstack-protector-strong" in program["comment"] and "g++-12" in debian
