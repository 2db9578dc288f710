"""Registries for the tests, on the loopback of a runtime's cell, which runtimes access without TLS: the Debian package
docker-registry, and one that only answers that its rate limit is reached."""
import crypt
import pathlib
import subprocess
import sys

from lab.cell import wait_until
from lab.images import INDEX, MANIFEST, repository

# Every answer is 429 (RFC 6585, 4), as in the distribution specification. To TLS it answers as Go's servers do, from
# which containerd 2 learns that a registry on the loopback has no TLS.
LIMITED = r"""
import http.server, socket, sys
class Limited(http.server.BaseHTTPRequestHandler):
    def handle_one_request(self):
        if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n")
            self.close_connection = True
        else:
            super().handle_one_request()
    def do_GET(self):
        body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}'
        self.send_response(429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Limited).serve_forever()
"""


class Registry:
    """A registry in the cell of CONTAINERD. With USER, (name, password), it requires these credentials."""

    def __init__(self, containerd, port=5000, user=None):
        self._cell, self._user, self.host = containerd.cell, user, f"127.0.0.1:{port}"
        self._name, self._port = f"registry-{port}", port
        self._directory = pathlib.Path(containerd.directory) / self._name
        (self._directory / "blobs").mkdir(parents=True)
        config = f'''version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {self._directory}/store}}, delete: {{enabled: true}}}}
http: {{addr: "{self.host}"}}
'''
        if user:
            password = crypt.crypt(user[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (self._directory / "htpasswd").write_text(f"{user[0]}:{password}\n")
            config += f"auth: {{htpasswd: {{realm: lab, path: {self._directory}/htpasswd}}}}\n"
        (self._directory / "config.yml").write_text(config)
        self.start()

    def name(self, path):
        return f"{self.host}/{path}"

    def start(self):
        self._cell.start(self._name, ["docker-registry", "serve", self._directory / "config.yml"])
        self._await()

    def stop(self):
        self._cell.stop(self._name)

    def limit(self):
        """From now on, it answers every request with 429."""
        self.stop()
        self._cell.start(self._name, [sys.executable, "-c", LIMITED, str(self._port)])
        self._await()

    def push(self, archive, image):
        """Pushes all names of IMAGE that are in this registry."""
        *parts, (_, manifest) = archive.blobs(image)
        for name in image.names:
            if not name.startswith(self.host + "/"):
                continue
            path = repository(name).removeprefix(self.host + "/")
            for digest, blob in parts:
                location = self._curl("-X", "POST", "-D", "-", "-o", self._directory / "answer",
                                      f"/v2/{path}/blobs/uploads/")
                upload = next(line.split(None, 1)[1].strip() for line in location.splitlines()
                              if line.lower().startswith("location:"))
                self._put(f"{upload}{'&' if '?' in upload else '?'}digest={digest}", blob, "application/octet-stream")
            self._put(f"/v2/{path}/manifests/{name.rpartition(':')[2]}", manifest, MANIFEST)

    def push_index(self, archive, index):
        """Pushes INDEX (Archive.index), after the images that it names."""
        path, _, tag = index.names[0].removeprefix(self.host + "/").rpartition(":")
        self._put(f"/v2/{path}/manifests/{tag}", archive.content(index.digest), INDEX)

    def delete(self, image):
        """Deletes the manifest, and with it all tags of IMAGE."""
        path = repository(image.names[0]).removeprefix(self.host + "/")
        self._curl("-X", "DELETE", f"/v2/{path}/manifests/{image.digest}")

    def _put(self, url, content, media_type):
        file = self._directory / "upload"
        file.write_bytes(content)
        self._curl("-X", "PUT", "-H", f"Content-Type: {media_type}", "--data-binary", f"@{file}", url)

    def _curl(self, *arguments):
        *flags, url = arguments
        url = url if url.startswith("http") else f"http://{self.host}{url}"
        user = ["-u", ":".join(self._user)] if self._user else []
        return self._cell.run("curl", "-sS", "--fail", *user, *flags, url).stdout

    def _await(self):
        def answers():
            return subprocess.run(self._cell.enter("curl", "-s", "-o", "/dev/null", f"http://{self.host}/v2/"),
                                  check=False).returncode == 0
        if not wait_until(answers, 20):
            raise RuntimeError(f"the registry did not start:\n{self._cell.tail(self._name)}")
