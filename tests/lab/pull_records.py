"""The records that a kubelet of Kubernetes 1.35 or later keeps of its pulls (KEP-2535)."""
import hashlib
import json
import pathlib

from lab import images


def write(kubelet_directory, name, reference):
    """Writes what the kubelet writes when it has pulled NAME, and the runtime answered with REFERENCE."""
    digits = hashlib.sha256(reference.encode()).hexdigest()
    path = pathlib.Path(kubelet_directory) / "image_manager" / "pulled" / f"sha256-{digits}"
    path.parent.mkdir(parents=True, exist_ok=True)
    mapping = json.loads(path.read_text())["credentialMapping"] if path.exists() else {}
    mapping[images.repository(name)] = {"nodePodsAccessible": True}
    path.write_text(json.dumps({
        "kind": "ImagePulledRecord", "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "lastUpdatedTime": "2026-01-01T00:00:00Z", "imageRef": reference, "credentialMapping": mapping}))
