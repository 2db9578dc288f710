"""Programs built from pinned Go modules, once for each machine and user.

The result is kept in ${XDG_CACHE_HOME:-~/.cache}/imagesweep/NAME-KEY, where KEY is a hash of everything that decides
what comes out: go.mod, go.sum, our sources, the build flags and the Go version. Concurrent runs wait for one builder.

    python3 -m lab.gobuild [PROGRAM]…     builds and prints where

PROGRAM is crio, dockerd, helm-docs, or kubernetes, containerd or helm, alone or with a version: kubernetes-1.37.
"""
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
# Directory with the go.mod -> the version that it requires. The tests use the default where they name no other.
KUBERNETES = {"1.30": "v1.30.14", "1.34": "v1.34.4", "1.37": "v1.37.2"}
CONTAINERD = {"1.7": "v1.7.35", "2.4": "v2.4.2"}
HELM = {"3": "v3.22.0", "4": "v4.3.2"}
DEFAULT_KUBERNETES, DEFAULT_CONTAINERD, DEFAULT_HELM = "1.34", "2.4", "3"
MOBY = "v2.0.0-beta.24"
OLDEST_GO = (1, 21)  # since this version, Go fetches the toolchain that go.mod requires through the module proxy


class MissingGo(Exception):
    """Go is missing or too old. The message is the one line that a user needs."""


def kubernetes(version=DEFAULT_KUBERNETES):
    """The directory of `kubernetes`: all components in one binary, selected by its first argument."""
    number = KUBERNETES[version]
    component_version = f"-X k8s.io/component-base/version.gitVersion={number}" \
                        f" -X k8s.io/component-base/version.gitMajor={number[1:].split('.')[0]}" \
                        f" -X k8s.io/component-base/version.gitMinor={number.split('.')[1]}"
    return _built("kubernetes", TESTS / "cluster/kubernetes" / version,
                  {".": "kubernetes"}, ["-ldflags", f"-s -w {component_version}"], {})


def containerd(version=DEFAULT_CONTAINERD):
    """The directory of `containerd`, its runc shim and `ctr`."""
    number = CONTAINERD[version]
    module = "github.com/containerd/containerd" + ("/v2" if number.startswith("v2.") else "")
    return _built("containerd", TESTS / "runtime/containerd" / version,
                  {f"{module}/cmd/{name}": name for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
                  ["-ldflags", f"-s -w -X {module}/version.Version={number}"], {"CGO_ENABLED": "0"})


def crio():
    """The directory of `crio` and of `pinns`, the program with which it makes the namespaces of a pod."""
    module = "github.com/cri-o/cri-o"
    # Without these tags, the build needs the headers of libostree, gpgme and btrfs-progs.
    tags = "containers_image_ostree_stub containers_image_openpgp exclude_graphdriver_btrfs btrfs_noversion"
    return _built("crio", TESTS / "runtime/crio", {f"{module}/cmd/crio": "crio"}, ["-tags", tags, "-ldflags", "-s -w"],
                  {"CGO_ENABLED": "1"}, c_programs={"pinns": (module, "pinns/src")})


def dockerd():
    """The directory of `dockerd` 29. It has no containerd of its own."""
    module = "github.com/moby/moby/v2"
    return _built("dockerd", TESTS / "runtime/dockerd", {f"{module}/cmd/dockerd": "dockerd"},
                  ["-tags", "exclude_graphdriver_btrfs", "-ldflags",
                   f"-s -w -X {module}/dockerversion.Version=29.0.0-moby.{MOBY}"], {"CGO_ENABLED": "0"})


def helm(version=DEFAULT_HELM):
    """The directory of `helm`."""
    module = f"helm.sh/helm/v{version}"
    variables = {"internal/version.version": HELM[version]}
    if version == "3":
        # The Kubernetes version that `helm template` and `helm lint` assume. Helm's own Makefile sets it in the same way.
        # Helm 4 assumes the version of its client-go.
        variables |= {f"pkg/{package}.k8sVersion{part}": number for package in ("lint/rules", "chartutil")
                      for part, number in zip(("Major", "Minor"), DEFAULT_KUBERNETES.split("."))}
    assignments = "".join(f" -X {module}/{name}={value}" for name, value in variables.items())
    return _built("helm", TESTS / "chart/helm" / version, {f"{module}/cmd/helm": "helm"},
                  ["-ldflags", f"-s -w{assignments}"], {"CGO_ENABLED": "0"})


def helm_docs():
    """The directory of `helm-docs`, which generates the README of the chart."""
    return _built("helm-docs", TESTS / "chart/helm-docs", {"github.com/norwoodj/helm-docs/cmd/helm-docs": "helm-docs"},
                  ["-ldflags", "-s -w"], {"CGO_ENABLED": "0"})


def _built(name, module, packages, flags, extra_env, c_programs=None):
    """C_PROGRAMS: program -> (Go module, directory of its C sources in there)."""
    c_programs = c_programs or {}
    version = _go_version(module)
    env = {**os.environ, **_environment(), **extra_env}
    key = hashlib.sha256(repr((version, sorted(packages.items()), flags, extra_env,
                               *sorted(c_programs.items()))).encode())
    for source in sorted(path for path in module.iterdir() if path.suffix in (".go", ".mod", ".sum")):
        key.update(source.name.encode() + b"\0" + source.read_bytes())

    def build(directory):
        print(f"Building {module.relative_to(TESTS)} from its Go module, once for this machine: some minutes",
              file=sys.stderr, flush=True)
        for package, program in packages.items():
            subprocess.run(["go", "build", *flags, "-o", str(directory / program), package], cwd=module, env=env,
                           check=True)
        for program, (dependency, source) in c_programs.items():
            found = subprocess.run(["go", "list", "-m", "-f", "{{.Dir}}", dependency], cwd=module, env=env, text=True,
                                   stdout=subprocess.PIPE, check=True).stdout.strip()
            sources = sorted(pathlib.Path(found, source).glob("*.c"))
            subprocess.run(["cc", "-std=c99", "-Os", "-static", "-s", "-o", directory / program, *sources], check=True)
    return kept(name, key.hexdigest()[:16], build)


def kept(name, key, make):
    """The directory NAME-KEY of the cache. If there is none, MAKE fills it, in one process at a time."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "imagesweep"
    cache.mkdir(parents=True, exist_ok=True)
    result = cache / f"{name}-{key}"
    if result.is_dir():
        return result
    with open(cache / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if result.is_dir():
            return result
        for unfinished in cache.glob(f"{name}-{'?' * 8}.tmp"):  # of this name alone: helm is not helm-docs
            shutil.rmtree(unfinished)
        building = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", suffix=".tmp", dir=cache))
        make(building)
        building.chmod(0o755)
        building.rename(result)
    return result


def _environment():
    # A build must not depend on the settings of a developer. It has no version control stamp, so it needs no checkout.
    return {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "auto"}


def _go_version(module):
    advice = f"Go >= {OLDEST_GO[0]}.{OLDEST_GO[1]} is needed for the tests on real containerd 2, CRI-O " \
             "and Kubernetes (Debian 12's package is older): install it from https://go.dev/dl/ and put its bin directory " \
             "on PATH"
    if not shutil.which("go"):
        raise MissingGo(f"{advice}; no `go` on PATH")
    local = subprocess.run(["go", "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off"},
                           cwd="/", text=True, capture_output=True, check=True).stdout.strip()
    numbers = tuple(int(part) for part in local.removeprefix("go").split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GO:
        raise MissingGo(f"{advice}; `go` is {local}")
    return subprocess.run(["go", "env", "GOVERSION"], env={**os.environ, **_environment()}, cwd=module, text=True,
                          stdout=subprocess.PIPE, check=True).stdout.strip()


PROGRAMS = {"kubernetes": kubernetes, "containerd": containerd, "helm": helm, "crio": crio, "dockerd": dockerd,
            "helm-docs": helm_docs}
for _program, _versions in ((kubernetes, KUBERNETES), (containerd, CONTAINERD), (helm, HELM)):
    for _version in _versions:
        PROGRAMS[f"{_program.__name__}-{_version}"] = functools.partial(_program, _version)

if __name__ == "__main__":
    try:
        for wanted in sys.argv[1:] or ["containerd", "kubernetes"]:
            print(PROGRAMS[wanted]())
    except MissingGo as missing:
        sys.exit(str(missing))
