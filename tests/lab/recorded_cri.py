"""A CRI server that gives the recorded answers of a real runtime, and changes nothing.

    python3 recorded_cri.py SOCKET DIRECTORY RECORDING

Serves SOCKET until it is terminated, and prints the method of each call. It refuses a method without a recorded answer, as
a runtime refuses one that it does not have. Writes the generated messages below DIRECTORY.
"""
import concurrent.futures
import json
import pathlib
import signal
import sys
import threading

import grpc
from google.protobuf import json_format

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab.crowded_runtime import messages  # noqa: E402  the path comes first

# The answers to these are recorded by the ID in the request.
BY_ID = {"ImageStatus": lambda request: request.image.image, "ContainerStatus": lambda request: request.container_id,
         "PodSandboxStatus": lambda request: request.pod_sandbox_id}


class Recorded(grpc.GenericRpcHandler):
    def __init__(self, m, answers):
        self._m, self._answers = m, answers

    def service(self, call):
        service, method = call.method.lstrip("/").split("/")
        print(method, flush=True)
        if method not in self._answers or not service.startswith("runtime.v1."):
            return grpc.unary_unary_rpc_method_handler(lambda _, context: _refuse(context, service, method))
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._answer(method, request, context),
            request_deserializer=getattr(self._m, f"{method}Request").FromString,
            response_serializer=lambda reply: reply.SerializeToString())

    def _answer(self, method, request, context):
        answer = self._answers[method]
        if method in BY_ID:
            if (asked := BY_ID[method](request)) not in answer:
                context.abort(grpc.StatusCode.NOT_FOUND, f"no answer is recorded for {asked}")
            answer = answer[asked]
        return json_format.ParseDict(answer, getattr(self._m, f"{method}Response")())


def _refuse(context, service, method):
    """In the words of a server in Go (grpc-go, server.go)."""
    known = service in ("runtime.v1.RuntimeService", "runtime.v1.ImageService")
    context.abort(grpc.StatusCode.UNIMPLEMENTED,
                  f"unknown method {method} for service {service}" if known else f"unknown service {service}")


def main():
    socket, directory, recording = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([Recorded(messages(directory), json.loads(recording.read_text()))])
    server.add_insecure_port(f"unix:{socket}")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    ended.wait()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
