"""A stand-in for the Kubernetes API server: pods, nodes and ConfigMaps out of a directory, read only, over TLS.

Speaks list and watch as kubernetes.io/docs/reference/using-api/api-concepts describes them: resourceVersion, field
selectors, limit and continue, chunked watch events, bookmarks, timeoutSeconds, 410 for versions it no longer has, and
bearer tokens. Each *.json file of the directory is one object; writing, changing or removing a file is an event.

    python3 -m lab.standin_api DIRECTORY --kubeconfig FILE      serves until it is told to end
"""
import argparse
import base64
import collections
import contextlib
import http.server
import json
import os
import pathlib
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

CORE = {"pods": "Pod", "nodes": "Node", "configmaps": "ConfigMap"}
WORKLOADS = {"apis/apps/v1": {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet",
                              "replicasets": "ReplicaSet", "controllerrevisions": "ControllerRevision"},
             "apis/batch/v1": {"cronjobs": "CronJob", "jobs": "Job"}}
KINDS = {**CORE, **WORKLOADS["apis/apps/v1"], **WORKLOADS["apis/batch/v1"]}
FIELDS = {  # the selectors of the real server that the agent uses for these kinds
    "metadata.name": lambda item: item["metadata"]["name"],
    "metadata.namespace": lambda item: item["metadata"].get("namespace", ""),
    "spec.nodeName": lambda item: item.get("spec", {}).get("nodeName", ""),
    "status.phase": lambda item: item.get("status", {}).get("phase", ""),
}
KEPT_EVENTS, KEPT_PAGES = 1000, 16
Event = collections.namedtuple("Event", "version type plural item before")


class Refused(Exception):
    """Becomes a Status object: (HTTP code, reason, message)."""

    @property
    def status(self):
        code, reason, message = self.args
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
                "reason": reason, "message": message}


class Store:
    """The objects, the recent events, and one version counter for both, as in etcd."""

    def __init__(self, directory):
        self._directory = pathlib.Path(directory)
        self._seen, self._items = {}, {}  # path -> (stamp, key); (plural, namespace, name) -> object
        self._events, self._pages = collections.deque(maxlen=KEPT_EVENTS), collections.OrderedDict()
        self._version = self._oldest = 1
        self.changed = threading.Condition()
        self.instead = None  # takes the path and query of a GET, returns (status, body in bytes) to send instead

    def scan(self):
        """Reads the changes in the directory. A file that is not valid JSON yet is read again next time."""
        with self.changed:
            files = {path: (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                     for path in sorted(self._directory.glob("*.json")) if (stat := _stat(path))}
            for path in [path for path in self._seen if path not in files]:
                self._apply(self._seen.pop(path)[1], None)
            for path, stamp in files.items():
                if path in self._seen and self._seen[path][0] == stamp:
                    continue
                try:
                    item = json.loads(path.read_text())
                    plural = next(plural for plural, kind in KINDS.items() if kind == item["kind"])
                except (ValueError, FileNotFoundError):
                    continue
                key = (plural, item["metadata"].get("namespace", ""), item["metadata"]["name"])
                if path in self._seen and self._seen[path][1] != key:
                    self._apply(self._seen[path][1], None)
                self._seen[path] = (stamp, key)
                self._apply(key, item)

    def forget_history(self):
        """As after a compaction: watches and pages from older versions get 410."""
        with self.changed:
            self._events.clear()
            self._pages.clear()
            self._version += 1
            self._oldest = self._version

    def get(self, plural, namespace, name):
        with self.changed:
            item = self._items.get((plural, namespace, name))
        if item is None:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found')
        return item

    def list(self, plural, namespace, query):
        matches, limit, token = _selector(query), int(query.get("limit", "0")), query.get("continue", "")
        wanted = query.get("resourceVersion", "")
        with self.changed:
            if token:
                if wanted not in ("", "0"):
                    raise Refused(400, "BadRequest", "specifying resource version is not allowed when using continue")
                if token not in self._pages:
                    raise Refused(410, "Expired", "The provided continue parameter is too old to display a consistent "
                                                  "list result.")
                version, items = self._pages.pop(token)
            else:
                version = self._version
                self._check_version(wanted, exact=limit > 0 or query.get("resourceVersionMatch") == "Exact")
                items = [item for (kind, space, _), item in sorted(self._items.items())
                         if kind == plural and namespace in ("", space) and matches(item)]
            page, rest = (items[:limit], items[limit:]) if limit else (items, [])
            metadata = {"resourceVersion": str(version)}
            if rest:
                metadata.update({"continue": secrets.token_urlsafe(12), "remainingItemCount": len(rest)})
                self._pages[metadata["continue"]] = (version, rest)
                while len(self._pages) > KEPT_PAGES:
                    self._pages.popitem(last=False)
        return {"kind": KINDS[plural] + "List", "apiVersion": "v1", "metadata": metadata, "items": page}

    def watch(self, plural, namespace, query, stopping, bookmark_seconds):
        """An iterator of (type, object), which ends after timeoutSeconds or when STOPPING is set. Refusals come before:
        the head of the answer is sent at once, long before the first event."""
        if "sendInitialEvents" in query:
            raise Refused(422, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch "
                                          "unless the WatchList feature gate is enabled")
        matches = _selector(query)
        deadline = time.monotonic() + float(query.get("timeoutSeconds", "1800"))
        every = bookmark_seconds if query.get("allowWatchBookmarks") in ("true", "1") else None
        version = int(query.get("resourceVersion") or 0)
        with self.changed:
            start = self._version
            if version == 0:
                first = [("ADDED", item) for (kind, space, _), item in sorted(self._items.items())
                         if kind == plural and namespace in ("", space) and matches(item)]
                version = start
            elif version > start:
                raise Refused(504, "Timeout", f"Too large resource version: {version}, current: {start}")
            else:
                first = []
        concerns = (lambda event: event.plural == plural
                    and namespace in ("", event.item["metadata"].get("namespace", "")))
        return self._events_after(version, first, KINDS[plural], concerns, matches, deadline, every, stopping)

    def _events_after(self, version, first, kind, concerns, matches, deadline, every, stopping):
        yield from first
        bookmark = time.monotonic() + every if every else deadline
        while not stopping.is_set():
            with self.changed:
                if version >= self._oldest and version == self._version:
                    self.changed.wait(max(0.0, min(deadline, bookmark) - time.monotonic()))
                news = [event for event in self._events if event.version > version]
                oldest = self._oldest
            if version < oldest:
                yield "ERROR", Refused(410, "Expired", f"too old resource version: {version} ({oldest})").status
                return
            for event in news:
                version = event.version
                if concerns(event):
                    yield from _seen_through(event, matches)
            now = time.monotonic()
            if now >= min(deadline, bookmark) and not news:
                if every:
                    yield "BOOKMARK", {"kind": kind, "apiVersion": "v1",
                                       "metadata": {"resourceVersion": str(version), "creationTimestamp": None}}
                bookmark = now + every if every else deadline
                if now >= deadline:
                    return

    def _check_version(self, wanted, exact):
        if wanted in ("", "0"):
            return
        if int(wanted) > self._version:
            raise Refused(504, "Timeout", f"Too large resource version: {wanted}, current: {self._version}")
        if exact and int(wanted) != self._version:
            raise Refused(410, "Expired", f"The provided resource version {wanted} is too old.")

    def _apply(self, key, item):
        before = self._items.get(key)
        self._version += 1
        if item is None:
            del self._items[key]
            item = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self._version)}}
            kind = "DELETED"
        else:
            item.setdefault("apiVersion", "v1")
            item["metadata"]["resourceVersion"] = str(self._version)
            self._items[key] = item
            kind = "MODIFIED" if before else "ADDED"
        if len(self._events) == KEPT_EVENTS:
            self._oldest = self._events[0].version
        self._events.append(Event(self._version, kind, key[0], item, before))
        self.changed.notify_all()


def _stat(path):
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _seen_through(event, matches):
    """With a selector, a change is an addition if only the new state matches, and a deletion if only the old state
    does."""
    now = event.type != "DELETED" and matches(event.item)
    then = event.before is not None and matches(event.before)
    if now or then:
        yield ("MODIFIED" if now and then else "ADDED" if now else "DELETED"), event.item


def _selector(query):
    terms = []
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        field, _, value = term.partition("=")
        negated = field.endswith("!")
        field, value = field.rstrip("!"), value.removeprefix("=")
        if field not in FIELDS:
            raise Refused(400, "BadRequest", f'field label not supported: "{field}"')
        terms.append((FIELDS[field], value, negated))
    return lambda item: all((read(item) == value) != negated for read, value, negated in terms)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        try:
            if self.headers.get("Authorization") != f"Bearer {self.server.token}":
                raise Refused(401, "Unauthorized", "Unauthorized")
            store = self.server.store
            if answer := store.instead and store.instead(self.path):
                return self._send_bytes(*answer)
            plural, namespace, name = _route(url.path)
            if name:
                self._send(200, store.get(plural, namespace, name))
            elif query.get("watch") in ("true", "1"):
                self._stream(store.watch(plural, namespace, query, self.server.stopping, self.server.bookmark_seconds))
            else:
                store.scan()  # a consistent read: the answer contains everything written before the request
                self._send(200, store.list(plural, namespace, query))
        except Refused as refused:
            self._send(refused.args[0], refused.status)

    def log_message(self, *_):
        pass

    def _send(self, code, body):
        self._send_bytes(code, json.dumps(body).encode())

    def _send_bytes(self, code, data):
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # the client may have read enough
            self.wfile.write(data)

    def _stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # the watcher may leave at any time
            for kind, item in events:
                data = json.dumps({"type": kind, "object": item}).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")


def _route(path):
    parts = path.strip("/").split("/")
    for group, kinds in WORKLOADS.items():  # of all namespaces, as a list or a watch
        if "/".join(parts[:3]) == group and len(parts) == 4 and parts[3] in kinds:
            return parts[3], "", ""
    if parts[:2] == ["api", "v1"]:
        parts = parts[2:]
        namespace = parts[1] if len(parts) > 2 and parts[0] == "namespaces" else ""
        parts = parts[2:] if namespace else parts
        if parts and parts[0] in CORE and len(parts) <= 2:
            return parts[0], namespace, parts[1] if len(parts) == 2 else ""
    raise Refused(404, "NotFound", "the server could not find the requested resource")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, store, token, tls, bookmark_seconds):
        super().__init__(address, Handler)
        self.store, self.token, self.bookmark_seconds = store, token, bookmark_seconds
        self.stopping, self._tls, self._connections = threading.Event(), tls, set()

    def get_request(self):
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def finish_request(self, request, address):
        try:  # the handshake is in the thread of the connection
            with self._tls.wrap_socket(request, server_side=True) as secure:
                self._connections.add(secure)
                try:
                    self.RequestHandlerClass(secure, address, self)
                finally:
                    self._connections.discard(secure)
        except OSError:
            pass  # a client that left, or does not trust the server, affects only itself

    def shutdown_request(self, request):
        self._connections.discard(request)
        super().shutdown_request(request)

    def stop(self):
        self.stopping.set()
        with self.store.changed:
            self.store.changed.notify_all()
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class StandInApi:
    """Serves DIRECTORY from a thread. `kubeconfig` is the file for a client. `stop` and `start` take the server down
    and bring it back at the same address."""

    def __init__(self, directory, kubeconfig=None, bookmark_seconds=60.0):
        self.directory, self._bookmark_seconds = pathlib.Path(directory), bookmark_seconds
        self.directory.mkdir(exist_ok=True)
        self.store = Store(self.directory)
        self._token, self._address, self._server = secrets.token_urlsafe(24), ("127.0.0.1", 0), None
        self._pki = tempfile.TemporaryDirectory(prefix="imagesweep-pki-")
        self._make_certificates(pathlib.Path(self._pki.name))
        self._ended = threading.Event()
        self._scanner = threading.Thread(target=self._scan, daemon=True)
        self._scanner.start()
        self.start()
        self.kubeconfig = pathlib.Path(kubeconfig or self.directory / "kubeconfig.yaml")
        self._write_kubeconfig()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self._address[1]}"

    def start(self):
        self.store.scan()
        self._server = Server(self._address, self.store, self._token, self._tls, self._bookmark_seconds)
        self._address = self._server.server_address
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self._server:
            self._server.stop()
            self._server = None

    def close(self):
        self.stop()
        self._ended.set()
        self._scanner.join()
        self._pki.cleanup()

    def put(self, item):
        """Writes the file of one object, completely or not at all, and returns when it is served."""
        path = self._path(item)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(item, indent=1))
        unfinished.rename(path)
        self.store.scan()

    def delete(self, item):
        self._path(item).unlink()
        self.store.scan()

    def _path(self, item):
        metadata = item["metadata"]
        return self.directory / f"{item['kind'].lower()}.{metadata.get('namespace', '')}.{metadata['name']}.json"

    def _scan(self):
        while not self._ended.wait(0.05):
            self.store.scan()

    def _make_certificates(self, directory):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
        openssl("req", "-x509", *key, "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=stand-in CA")
        openssl("req", *key, "tls.key", "-out", "tls.csr", "-subj", "/CN=stand-in")
        (directory / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", "tls.crt")
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(directory / "tls.crt", directory / "tls.key")
        self._ca = base64.b64encode((directory / "ca.crt").read_bytes()).decode()

    def _write_kubeconfig(self):
        with open(os.open(self.kubeconfig, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"""apiVersion: v1
kind: Config
clusters:
- name: stand-in
  cluster:
    server: {self.url}
    certificate-authority-data: {self._ca}
users:
- name: agent
  user:
    token: {self._token}
contexts:
- name: stand-in
  context:
    cluster: stand-in
    user: agent
current-context: stand-in
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--bookmark-seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with StandInApi(arguments.directory, arguments.kubeconfig, arguments.bookmark_seconds) as api:
        print(f"Serving {arguments.directory} at {api.url}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
