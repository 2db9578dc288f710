"""A container runtime that only answers reads, for a node with more objects than a test can create on a real one.

    python3 crowded_runtime.py SOCKET DIRECTORY IMAGES CONTAINERS ANNOTATION_BYTES

Serves the CRI on SOCKET, with StreamContainers and StreamImages as Kubernetes 1.36 has them, until it is terminated.
Writes the generated messages below DIRECTORY. Container N uses image N modulo IMAGES.
"""
import concurrent.futures
import hashlib
import importlib.util
import pathlib
import signal
import subprocess
import sys
import threading

import grpc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto/runtime/v1/api.proto"


def messages(directory):
    subprocess.run(["protoc", f"-I{PROTO.parent}", f"--python_out={directory}", PROTO.name], check=True)
    spec = importlib.util.spec_from_file_location("api_pb2", directory / "api_pb2.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class CrowdedRuntime:
    def __init__(self, m, images, containers, annotation):
        self._m, self._containers, self._annotation = m, containers, annotation
        self._ids = ["sha256:" + hashlib.sha256(str(number).encode()).hexdigest() for number in range(images)]

    def version(self, _):
        return self._m.VersionResponse(version="0.1.0", runtime_name="crowded", runtime_version="1.0.0",
                                       runtime_api_version="v1")

    def status(self, _):
        return self._m.StatusResponse()

    def sandboxes(self, _):
        return self._m.ListPodSandboxResponse()

    def sandbox_status(self, _):
        return self._m.PodSandboxStatusResponse()

    def filesystems(self, _):
        reply = self._m.ImageFsInfoResponse()
        reply.image_filesystems.add().fs_id.mountpoint = "/"
        return reply

    def _image(self, number):
        name = f"registry.example/team-{number % 97}/service-{number}"
        return self._m.Image(id=self._ids[number], repo_tags=[f"{name}:v1"], size=1 << 20,
                             repo_digests=[f"{name}@{self._ids[number]}"])

    def images(self, _):
        return self._m.ListImagesResponse(images=map(self._image, range(len(self._ids))))

    def stream_images(self, _, __):
        for number in range(len(self._ids)):
            yield self._m.StreamImagesResponse(images=[self._image(number)])

    def stream_containers(self, _, __):
        for number in range(self._containers):
            image = self._ids[number % len(self._ids)]
            yield self._m.StreamContainersResponse(containers=[self._m.Container(
                id=f"container-{number}", image=self._m.ImageSpec(image=image), image_ref=image,
                annotations={"example.com/large": "a" * self._annotation})])

    def container_status(self, request):
        image = self._ids[int(request.container_id.rpartition("-")[2]) % len(self._ids)]
        return self._m.ContainerStatusResponse(status=self._m.ContainerStatus(
            id=request.container_id, image=self._m.ImageSpec(image=image), image_ref=image))

    def services(self):
        """Service -> method -> handler."""
        m = self._m

        def one(answer, request):
            return grpc.unary_unary_rpc_method_handler(
                lambda asked, _: answer(asked), request_deserializer=request.FromString,
                response_serializer=lambda reply: reply.SerializeToString())

        def stream(answer, request):
            return grpc.unary_stream_rpc_method_handler(
                answer, request_deserializer=request.FromString,
                response_serializer=lambda reply: reply.SerializeToString())
        return {
            "runtime.v1.RuntimeService": {
                "Version": one(self.version, m.VersionRequest), "Status": one(self.status, m.StatusRequest),
                "StreamContainers": stream(self.stream_containers, m.StreamContainersRequest),
                "ContainerStatus": one(self.container_status, m.ContainerStatusRequest),
                "ListPodSandbox": one(self.sandboxes, m.ListPodSandboxRequest),
                "PodSandboxStatus": one(self.sandbox_status, m.PodSandboxStatusRequest)},
            "runtime.v1.ImageService": {
                "ListImages": one(self.images, m.ListImagesRequest),
                "StreamImages": stream(self.stream_images, m.StreamImagesRequest),
                "ImageFsInfo": one(self.filesystems, m.ImageFsInfoRequest)}}


def main():
    socket, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    runtime = CrowdedRuntime(messages(directory), *map(int, sys.argv[3:]))
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    for service, handlers in runtime.services().items():
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    server.add_insecure_port(f"unix:{socket}")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    ended.wait()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
