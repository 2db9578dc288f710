"""What the Debian package contains. No test needs a host."""
import re
import subprocess

import pytest
import yaml

from lab import agent
from lab.pages import ROOT


def output(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    directory = tmp_path_factory.mktemp("package")
    output("dpkg-deb", "--raw-extract", package, directory)
    return directory


def test_lintian_finds_nothing(made, package):
    assert made.stdout == f"{package.relative_to(ROOT)}: {package.stat().st_size // 1000} kB\n"
    assert not (ROOT / "packaging/debian/imagesweep.lintian-overrides").exists()


def test_the_package_has_the_version_of_the_program(package):
    version = agent.run("version", "-o", "json").stdout
    assert f'"{output("dpkg-deb", "--field", package, "Version").strip()}"' in version


def test_the_package_depends_on_the_libraries_of_the_program(package):
    depends = output("dpkg-deb", "--field", package, "Depends")
    assert re.search(r"\blibc6 \(>= ", depends) and all(library in depends for library in ("libgrpc++", "libsqlite3-0"))


def test_the_package_has_every_manual_page_and_completion(unpacked, tmp_path):
    agent.run("man", tmp_path)
    pages = {path.name.removesuffix(".gz") for path in (unpacked / "usr/share/man/man1").iterdir()}
    assert pages == {path.name for path in tmp_path.iterdir()}
    for shell, path in {"bash": "bash-completion/completions/imagesweep", "zsh": "zsh/vendor-completions/_imagesweep",
                        "fish": "fish/vendor_completions.d/imagesweep.fish"}.items():
        assert (unpacked / "usr/share" / path).read_text() == agent.run("completion", shell).stdout


def test_the_configuration_belongs_to_the_administrator(unpacked):
    assert (unpacked / "DEBIAN/conffiles").read_text().split() \
        == ["/etc/imagesweep/imagesweep.env", "/etc/imagesweep/policy.yaml"]


def test_the_policy_is_valid_and_removes_nothing(unpacked):
    path = unpacked / "etc/imagesweep/policy.yaml"
    checked = agent.run("policy", "validate", path)
    assert checked.stderr == "" and "warning" not in checked.stdout.lower()
    assert yaml.safe_load(path.read_text())["dryRun"] is True


@pytest.mark.parametrize("variable", re.findall(r"\b(IMAGESWEEP_\w+)=", (ROOT / "packaging/imagesweep.env").read_text()
                                                + (ROOT / "packaging/imagesweep.service").read_text()))
def test_the_agent_reads_each_variable_of_the_service(unpacked, variable, tmp_path):
    agent.run("man", tmp_path)
    assert variable in (tmp_path / "imagesweep-agent.1").read_text().replace("\\", "")
