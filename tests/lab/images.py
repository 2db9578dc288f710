"""Makes container images: OCI image layouts in a tar file (github.com/opencontainers/image-spec, image-layout.md)."""
import dataclasses
import gzip
import hashlib
import io
import json
import pathlib
import random
import subprocess
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MTIME = 1_700_000_000


@dataclasses.dataclass(frozen=True)
class Image:
    names: tuple  # as containerd stores them: docker.io/library/app:v1
    id: str  # digest of the configuration, which is the image ID in CRI
    digest: str  # of the manifest, as it stands after @ in a reference

    @property
    def digest_references(self):
        """repository@digest for each repository of the image: the names that a pull adds to the tag."""
        return tuple(sorted({f"{repository(name)}@{self.digest}" for name in self.names}))


def repository(name):
    """docker.io/library/app:v1 -> docker.io/library/app. A port in the registry is not a tag."""
    name = name.partition("@")[0]
    head, _, tail = name.rpartition(":")
    return head if head and "/" not in tail else name


def noise(seed, size):
    """The same bytes for the same SEED, which no compression makes smaller."""
    return random.Random(str(seed)).randbytes(size)


def layer(files, seed=None, size=0):
    """A layer of {path: content}. The path of an executable ends in `!`. SIZE bytes of noise from SEED make it large.
    """
    files = dict(files)
    if size:
        files[f"data/{seed}"] = noise(seed, size)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path.rstrip("!"))
            info.size, info.mode, info.mtime = len(content), 0o755 if path.endswith("!") else 0o644, MTIME
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def pause_layer(directory):
    """One layer with the static /pause, which the C compiler builds in DIRECTORY."""
    source, program = pathlib.Path(__file__).with_name("pause.c"), pathlib.Path(directory) / "pause"
    if not program.exists():
        subprocess.run(["cc", "-Os", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    return layer({"pause!": program.read_bytes()})


class Archive:
    """Collects images. `write` makes the file that `ctr images import` reads."""

    def __init__(self):
        self._blobs, self._manifests = {}, []

    def add(self, names, layers, created="2025-01-01T00:00:00Z", entrypoint=("/pause",), history=None, labels=None,
            compression=1):
        """Layers are tar files as bytes (layer(), pause_layer()). Equal layers are stored once. COMPRESSION is the gzip
        level."""
        names = (names,) if isinstance(names, str) else tuple(names)
        descriptors, diff_ids = [], []
        for tar in layers:
            diff_ids.append(_digest(tar))
            descriptors.append(self._put(LAYER, gzip.compress(tar, compression, mtime=0)))
        labels = {"org.opencontainers.image.ref.name": names[0], **(labels or {})}  # no two images are equal
        history = history or [f"COPY layer-{number} /" for number in range(len(layers))]
        config = self._put(CONFIG, _json({
            "created": created, "architecture": _architecture(), "os": "linux",
            "config": {"Entrypoint": list(entrypoint), "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created": created, "created_by": line} for line in history]}))
        manifest = self._put(MANIFEST, _json(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": descriptors}))
        for name in names:
            self._manifests.append({**manifest, "annotations": {"io.containerd.image.name": name}})
        return Image(names, config["digest"], manifest["digest"])

    def name_by_digest(self, image):
        """Gives IMAGE the references of a pull during the import. For hundreds of images, this is faster than load().
        """
        named = [one for one in self._manifests if one["digest"] == image.digest]
        self._manifests += [{**named[0], "annotations": {"io.containerd.image.name": reference}}
                            for reference in image.digest_references]
        return dataclasses.replace(image, names=(*image.names, *image.digest_references))

    def index(self, name, image, *others):
        """Makes NAME an index of IMAGE and OTHERS. add() made IMAGE for this machine. OTHERS are manifests for another
        machine, as (digest, size), which the archive does not contain. Returns the image to which a runtime resolves
        NAME."""
        here, there = ({"architecture": one, "os": "linux"} for one in (_architecture(), "s390x"))
        manifests = [{"mediaType": MANIFEST, "digest": image.digest, "size": len(self._blobs[image.digest]),
                      "platform": here}]
        manifests += [{"mediaType": MANIFEST, "digest": digest, "size": size, "platform": there}
                      for digest, size in others]
        index = self._put(INDEX, _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))
        self._manifests = [one for one in self._manifests if one["digest"] != image.digest]
        self._manifests.append({**index, "annotations": {"io.containerd.image.name": name}})
        return Image((name,), image.id, index["digest"])

    def blobs(self, image):
        """(digest, content) of all parts of IMAGE. A part comes before the parts that refer to it, and its manifest is
        last."""
        manifest = json.loads(self._blobs[image.digest])
        digests = [part["digest"] for part in (*manifest["layers"], manifest["config"])]
        return [(digest, self._blobs[digest]) for digest in (*digests, image.digest)]

    def layout(self, directory):
        """Writes the layout as DIRECTORY, for skopeo. There, the reference of each image is the digits of the digest of
        its manifest. Returns DIRECTORY."""
        manifests = {one["digest"]: {**one, "annotations": {"org.opencontainers.image.ref.name": one["digest"][7:]}}
                     for one in self._manifests}
        (directory / "blobs/sha256").mkdir(parents=True)
        (directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
        (directory / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": list(manifests.values())}))
        for digest, blob in self._blobs.items():
            (directory / "blobs" / digest.replace(":", "/")).write_bytes(blob)
        return directory

    def content(self, digest):
        """The part of an image, or the manifest or index, with this DIGEST."""
        return self._blobs[digest]

    def write(self, path, docker=False):
        """With DOCKER, it has the manifest.json that `docker load` needs before Docker 25, and that `docker save` still
        writes beside the layout."""
        index = _json({"schemaVersion": 2, "manifests": self._manifests})
        files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": index}
        if docker:
            files["manifest.json"] = _json([self._docker_manifest(digest) for digest in
                                            dict.fromkeys(one["digest"] for one in self._manifests)])
        files.update({_blob(digest): blob for digest, blob in self._blobs.items()})
        with tarfile.open(path, "w") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return path

    def _docker_manifest(self, digest):
        manifest = json.loads(self._blobs[digest])
        names = [one["annotations"]["io.containerd.image.name"] for one in self._manifests if one["digest"] == digest]
        return {"Config": _blob(manifest["config"]["digest"]), "RepoTags": [name for name in names if "@" not in name],
                "Layers": [_blob(part["digest"]) for part in manifest["layers"]]}

    def _put(self, media_type, blob):
        self._blobs[_digest(blob)] = blob
        return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _blob(digest):
    return f"blobs/{digest.replace(':', '/')}"


def _digest(blob):
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _json(value):
    return json.dumps(value, sort_keys=True).encode()


def _architecture():
    machine = subprocess.run(["uname", "-m"], text=True, capture_output=True, check=True).stdout.strip()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
