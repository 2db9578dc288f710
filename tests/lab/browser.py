"""A headless Chromium, controlled over a pipe with the DevTools protocol (chromedevtools.github.io/devtools-protocol),
without a driver program and without an open port. Also fetches axe-core, which checks pages for accessibility, with
npm."""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading

AXE = pathlib.Path(__file__).resolve().parents[1] / "web/axe"
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
SECONDS = 20  # for any answer


class MissingProgram(Exception):
    """The message is the one line that a user needs."""


def axe_source():
    """axe.min.js with the version and hash in tests/web/axe/package-lock.json, fetched once for this machine."""
    lock = AXE / "package-lock.json"
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "imagesweep"
    result = cache / f"axe-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "axe.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not result.is_dir():
            if not shutil.which("npm"):
                raise MissingProgram("npm is needed to fetch axe-core for the browser tests: scripts/bootstrap test")
            fetching = pathlib.Path(tempfile.mkdtemp(prefix="axe-", suffix=".tmp", dir=cache))
            for name in ("package.json", lock.name):
                shutil.copy(AXE / name, fetching)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=fetching,
                           check=True, stdout=subprocess.DEVNULL)
            fetching.rename(result)
    return (result / "node_modules/axe-core/axe.min.js").read_text()


class Browser:
    """Use as a context manager; `page()` opens a page."""

    def __init__(self, directory):
        program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
        if not program:
            raise MissingProgram("Chromium is needed for the browser tests: scripts/bootstrap test")
        # Names that are not addresses are not resolved. For root, the machine is the only sandbox here.
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--hide-scrollbars",
                 f"--user-data-dir={pathlib.Path(directory) / 'browser'}", "--remote-debugging-pipe"]
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # The browser reads from descriptor 3 and writes to descriptor 4.
        script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        self._log = open(pathlib.Path(directory) / "browser.log", "w")
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", script, "browser", str(to_browser), str(from_browser), program, *flags, "about:blank"],
            pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self._number, self._answers, self._pages = 0, {}, {}
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        self._log.close()

    def page(self, **settings):
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, target, session)
        page.prepare(**settings)
        return page

    def call(self, method, parameters=None, session=None):
        self._number += 1
        number, answer = self._number, queue.Queue()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        result = answer.get(timeout=SECONDS)
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error']['message']}")
        return result["result"]

    def _listen(self):
        rest = b""
        while data := os.read(self._read, 1 << 16):
            *messages, rest = (rest + data).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._answers.pop(message["id"]).put(message)
                elif page := self._pages.get(message.get("sessionId")):
                    page.note(message["method"], message["params"])


class Page:
    """One tab. `complaints` has the console output, and `requests` has every requested address."""

    def __init__(self, browser, target, session):
        self._browser, self._target, self._session = browser, target, session
        self.complaints, self.requests, self._loaded = [], [], threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._browser.call("Target.closeTarget", {"targetId": self._target})

    def prepare(self, width=1280, height=900, dark=False, scripts=True):
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.call("Emulation.setEmulatedMedia",
                  {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.call("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def call(self, method, parameters=None):
        return self._browser.call(method, parameters, self._session)

    def note(self, event, parameters):
        if event == "Page.loadEventFired":
            self._loaded.set()
        elif event == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"]["text"])
        elif event == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(str([argument.get("value") for argument in parameters["args"]]))

    def loads(self, act):
        """Runs ACT and waits for the page that it opens."""
        self._loaded.clear()
        act()
        assert self._loaded.wait(SECONDS), "no page was loaded"

    def open(self, url):
        def navigate():
            error = self.call("Page.navigate", {"url": url}).get("errorText")
            assert not error, f"{url}: {error}"
        self.loads(navigate)

    def run(self, expression):
        """The value of a JavaScript expression. Promises are awaited."""
        result = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent.trim())")

    def press(self, key, code=None, text=None):
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code or 0}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **event, **({"text": text} if text else {})})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def tab(self):
        self.press("Tab", 9)

    def enter(self):
        self.press("Enter", 13, "\r")

    def type(self, text):
        self.call("Input.insertText", {"text": text})

    def screenshot(self, path, whole=True):
        data = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def violations(self):
        """The violations that axe-core finds: (impact, rule, elements)."""
        self.run(axe_source() + ";0")
        found = self.run("axe.run().then(result => result.violations.map(v => "
                         "[v.impact, v.id, v.nodes.map(n => n.html.slice(0, 200))]))")
        return [tuple(one) for one in found]
