"""A registry in the cell of a containerd. Its only image never ends: it sends 64 KiB of its layer every half second."""
import subprocess
import sys
import threading

import grpc

from lab.cell import wait_until

# To TLS it answers as Go's servers do, from which containerd 2 learns that a registry on the loopback has no TLS.
SERVER = r"""
import hashlib, http.server, json, socket, sys, time
OCI, PIECE = "application/vnd.oci.image.", 1 << 16
layer = bytes(60 << 20)
def digest(blob): return "sha256:" + hashlib.sha256(blob).hexdigest()
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                     "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()
def part(kind, blob): return {"mediaType": OCI + kind, "digest": digest(blob), "size": len(blob)}
manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                       "config": part("config.v1+json", config), "layers": [part("layer.v1.tar", layer)]}).encode()
blobs = {digest(layer): layer, digest(config): config}
class Trickling(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def handle_one_request(self):
        if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n")
            self.close_connection = True
        else:
            super().handle_one_request()
    def do_GET(self):
        if "/manifests/" in self.path:
            content, kind = manifest, OCI + "manifest.v1+json"
        elif self.path.rstrip("/") == "/v2":
            content, kind = b"{}", "application/json"
        else:
            content, kind = blobs[self.path.rpartition("/")[2]], "application/octet-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", digest(content))
        self.end_headers()
        for begin in range(0, len(content) if self.command == "GET" else 0, PIECE):
            self.wfile.write(content[begin:begin + PIECE])
            self.wfile.flush()
            if content is layer:
                time.sleep(0.5)
    do_HEAD = do_GET
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Trickling).serve_forever()
"""


class TricklingRegistry:
    def __init__(self, containerd, port=5999):
        self._containerd, self._host = containerd, f"127.0.0.1:{port}"
        containerd.cell.start("trickle", [sys.executable, "-c", SERVER, str(port)])
        probe = containerd.cell.enter("curl", "-s", "-o", "/dev/null", f"http://{self._host}/v2/")
        if not wait_until(lambda: subprocess.run(probe, check=False).returncode == 0, 20):
            raise RuntimeError(f"the registry did not start:\n{containerd.cell.tail('trickle')}")

    def begin_pull(self):
        """Pulls its image for longer than any test takes. Returns when the layer is being received."""
        def pull():
            try:
                self._containerd.cri.pull(f"{self._host}/slow:v1", seconds=600)
            except grpc.RpcError as ended:  # at the end of the test
                self.ended = ended
        threading.Thread(target=pull, daemon=True).start()
        if not wait_until(self.is_pulling, 60):
            raise RuntimeError("the pull did not begin")

    def is_pulling(self):
        return "layer-" in self._containerd.ctr("content", "active")
