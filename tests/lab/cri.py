"""Starts pods on a container runtime over CRI, with host network, as a kubelet would."""
import dataclasses
import importlib.util
import pathlib
import subprocess
import uuid

import grpc

CREATED, RUNNING, EXITED = 0, 1, 2


@dataclasses.dataclass
class Pod:
    namespace: str
    name: str
    uid: str
    sandbox: str
    config: object
    containers: dict  # name -> id


class Cri:
    """DIRECTORY holds the generated messages and the logs of pods. The control groups of pods are below CGROUP. With
    NAMES_IMAGES, it names the image of a container as the spec of a pod does, without which CRI-O creates none."""

    def __init__(self, socket, directory, cgroup, names_images=False):
        self._messages = _generated(pathlib.Path(directory))
        self._channel = grpc.insecure_channel(f"unix:{socket}")
        self._directory, self._cgroup, self._names_images = pathlib.Path(directory), cgroup, names_images

    def close(self):
        self._channel.close()

    def version(self):
        return self._call("RuntimeService/Version", self._messages.Empty(), self._messages.VersionResponse, seconds=2)

    def images(self):
        return self._call("ImageService/ListImages", self._messages.Empty(), self._messages.ListImagesResponse).images

    def pull(self, reference, user=None, seconds=60):
        """USER is (name, password). Returns the reference with which the runtime answers."""
        m = self._messages
        auth = m.AuthConfig(username=user[0], password=user[1]) if user else None
        return self._call("ImageService/PullImage", m.PullImageRequest(image=m.ImageSpec(image=reference), auth=auth),
                          m.PullImageResponse, seconds=seconds).image_ref

    def remove_image(self, image):
        """Removes an image by its ID. Returns when the runtime has collected its garbage."""
        m = self._messages
        self._call("ImageService/RemoveImage", m.RemoveImageRequest(image=m.ImageSpec(image=image)), m.Empty)

    def containers(self):
        return self._call("RuntimeService/ListContainers", self._messages.Empty(),
                          self._messages.ListContainersResponse).containers

    def start_pod(self, name, images, namespace="default", state=RUNNING, by_kubelet=True, volumes=None):
        """A pod with one container for each entry of IMAGES (container name -> image id), all in STATE and with
        VOLUMES."""
        pod = self._sandbox(name, namespace, by_kubelet)
        for container, image in images.items():
            self.add_container(pod, container, image, state, volumes)
        return pod

    def add_container(self, pod, name, image, state=RUNNING, volumes=None):
        """VOLUMES are mounted images (path -> image id; KEP-4639), which containerd supports since 2.1."""
        m = self._messages
        mounts = [m.Mount(container_path=path, readonly=True, image=self._spec(mounted))
                  for path, mounted in (volumes or {}).items()]
        config = m.ContainerConfig(
            metadata=m.ContainerMetadata(name=name), image=self._spec(image), log_path=f"{name}.log",
            labels={**pod.config.labels, "io.kubernetes.container.name": name}, mounts=mounts)
        request = m.CreateContainerRequest(pod_sandbox_id=pod.sandbox, config=config, sandbox_config=pod.config)
        container = self._call("RuntimeService/CreateContainer", request, m.CreateContainerResponse).container_id
        pod.containers[name] = container
        if state != CREATED:
            self._act("StartContainer", m.ContainerRequest(container_id=container))
        if state == EXITED:
            self._act("StopContainer", m.StopContainerRequest(container_id=container, timeout=5))
        return container

    def remove_container(self, pod, name):
        self._act("RemoveContainer", self._messages.ContainerRequest(container_id=pod.containers.pop(name)))

    def remove_pod(self, pod):
        request = self._messages.PodSandboxRequest(pod_sandbox_id=pod.sandbox)
        self._act("StopPodSandbox", request)
        self._act("RemovePodSandbox", request)

    def _sandbox(self, name, namespace, by_kubelet):
        m, uid = self._messages, str(uuid.uuid4())
        labels = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace,
                  "io.kubernetes.pod.uid": uid}
        config = m.PodSandboxConfig(
            metadata=m.PodSandboxMetadata(name=name, uid=uid, namespace=namespace),
            log_directory=str(self._directory / "pods" / uid),
            labels=labels if by_kubelet else {},
            linux=m.LinuxPodSandboxConfig(
                cgroup_parent=f"{self._cgroup}/pod{uid}",
                security_context=m.LinuxSandboxSecurityContext(namespace_options=m.NamespaceOption(network=m.NODE))))
        sandbox = self._call("RuntimeService/RunPodSandbox", m.RunPodSandboxRequest(config=config),
                             m.RunPodSandboxResponse).pod_sandbox_id
        return Pod(namespace, name, uid, sandbox, config, {})

    def _spec(self, image):
        spec = self._messages.ImageSpec(image=image)
        if self._names_images:
            listed = next((one for one in self.images() if one.id == image), None)
            spec.user_specified_image = [*listed.repo_tags, *listed.repo_digests][0] if listed else image
        return spec

    def _act(self, method, request):
        self._call(f"RuntimeService/{method}", request, self._messages.Empty)

    def _call(self, method, request, response, seconds=60):
        call = self._channel.unary_unary(f"/runtime.v1.{method}", request_serializer=type(request).SerializeToString,
                                         response_deserializer=response.FromString)
        return call(request, timeout=seconds)


def _generated(directory):
    """The Python module of cri.proto, generated by the protoc that the agent is built with."""
    source = pathlib.Path(__file__).with_name("cri.proto")
    subprocess.run(["protoc", f"-I{source.parent}", f"--python_out={directory}", source.name], check=True)
    if _generated.module is None:  # protobuf allows each message once per process
        spec = importlib.util.spec_from_file_location("cri_pb2", directory / "cri_pb2.py")
        _generated.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(_generated.module)
    return _generated.module


_generated.module = None
