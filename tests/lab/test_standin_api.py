"""The stand-in API server follows the list and watch protocol, so the agent is tested with the real rules."""
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from lab.standin_api import StandInApi


def pod(name, node="node1", image="app:v1"):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": name},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": image}]}}


class Client:
    def __init__(self, api):
        self._api, self.token = api, api._token
        self._tls = ssl.create_default_context(cadata=_ca(api))

    def open(self, path, **query):
        url = f"{self._api.url}{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        return urllib.request.urlopen(request, context=self._tls, timeout=10)

    def get(self, path, **query):
        with self.open(path, **query) as answer:
            return json.load(answer)

    def pods(self, **query):
        return self.get("/api/v1/pods", **query)

    def watch(self, seconds=5, **query):
        with self.open("/api/v1/pods", watch="true", timeoutSeconds=seconds, **query) as answer:
            yield from map(json.loads, answer)


def _ca(api):
    import base64
    return base64.b64decode(api._ca).decode()


@pytest.fixture
def api(tmp_path):
    with StandInApi(tmp_path / "objects") as server:
        yield server


@pytest.fixture
def client(api):
    return Client(api)


def names(answer):
    return [item["metadata"]["name"] for item in answer["items"]]


def refusal(call):
    with pytest.raises(urllib.error.HTTPError) as caught:
        call()
    return caught.value.code, json.load(caught.value)["reason"]


def test_lists_by_field_selector(api, client):
    for name, node in (("a", "node1"), ("b", "node2"), ("c", "node1"), ("d", "")):
        api.put(pod(name, node))
    assert names(client.pods(fieldSelector="spec.nodeName=node1")) == ["a", "c"]
    assert names(client.pods(fieldSelector="spec.nodeName=")) == ["d"]
    assert names(client.pods(fieldSelector="spec.nodeName=node1,metadata.name!=a")) == ["c"]
    assert refusal(lambda: client.pods(fieldSelector="spec.image=x")) == (400, "BadRequest")


def test_pages_are_one_snapshot(api, client):
    for name in "abcde":
        api.put(pod(name))
    first = client.pods(limit=2)
    api.put(pod("bb"))
    second = client.pods(**{"limit": 2, "continue": first["metadata"]["continue"]})
    third = client.pods(**{"limit": 2, "continue": second["metadata"]["continue"]})
    assert names(first) + names(second) + names(third) == list("abcde")
    assert {page["metadata"]["resourceVersion"] for page in (first, second, third)} == \
        {first["metadata"]["resourceVersion"]}
    assert "continue" not in third["metadata"]


def test_pages_expire_with_the_history(api, client):
    for name in "abc":
        api.put(pod(name))
    token = client.pods(limit=1)["metadata"]["continue"]
    api.store.forget_history()
    assert refusal(lambda: client.pods(**{"limit": 1, "continue": token})) == (410, "Expired")


def test_watch_goes_on_from_a_list(api, client):
    api.put(pod("a"))
    version = client.pods()["metadata"]["resourceVersion"]
    api.put(pod("a", image="app:v2"))
    api.put(pod("b"))
    api.delete(pod("a"))
    events = client.watch(resourceVersion=version)
    seen = [next(events) for _ in range(3)]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in seen] == \
        [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions) and versions[0] > int(version)


def test_selector_turns_changes_into_arrivals_and_losses(api, client):
    version = client.pods()["metadata"]["resourceVersion"]
    for node in ("", "node1", "node2"):
        api.put(pod("a", node))
    events = client.watch(resourceVersion=version, fieldSelector="spec.nodeName=node1")
    assert [next(events)["type"] for _ in range(2)] == ["ADDED", "DELETED"]


def test_file_edits_are_events(api, client):
    api.put(pod("a"))
    version = client.pods()["metadata"]["resourceVersion"]
    path = next(api.directory.glob("pod.*.json"))
    path.write_text(path.read_text().replace("app:v1", "app:v2"))
    event = next(client.watch(resourceVersion=version))
    assert (event["type"], event["object"]["spec"]["containers"][0]["image"]) == ("MODIFIED", "app:v2")


def test_watch_without_a_version_starts_with_what_is_there(api, client):
    api.put(pod("a"))
    assert next(client.watch())["type"] == "ADDED"


def test_old_versions_are_gone_and_new_ones_too_large(api, client):
    api.put(pod("a"))
    version = client.pods()["metadata"]["resourceVersion"]
    api.store.forget_history()
    event = next(client.watch(resourceVersion=version))
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert refusal(lambda: client.pods(resourceVersion=10**9)) == (504, "Timeout")
    assert refusal(lambda: next(client.watch(resourceVersion=10**9))) == (504, "Timeout")
    assert refusal(lambda: client.pods(resourceVersion=version, limit=5)) == (410, "Expired")


def test_bookmarks_and_timeout(tmp_path):
    with StandInApi(tmp_path / "objects", bookmark_seconds=0.2) as api:
        client, begin = Client(api), time.monotonic()
        version = client.pods()["metadata"]["resourceVersion"]
        events = list(client.watch(seconds=1, resourceVersion=version, allowWatchBookmarks="true"))
        assert 0.9 < time.monotonic() - begin < 5
        assert {event["type"] for event in events} == {"BOOKMARK"} and len(events) >= 3
        assert not list(client.watch(seconds=1, resourceVersion=version))


def test_a_watch_is_answered_before_its_first_event(api, client):
    version = client.pods()["metadata"]["resourceVersion"]
    begin = time.monotonic()
    with client.open("/api/v1/pods", watch="true", timeoutSeconds=30, resourceVersion=version) as answer:
        assert answer.status == 200 and time.monotonic() - begin < 5


def test_wants_its_token(api, client):
    client.token = "other"
    assert refusal(lambda: client.pods()) == (401, "Unauthorized")


def test_ends_watches_when_stopped_and_comes_back_at_the_same_address(api, client):
    events = client.watch(seconds=60, resourceVersion=client.pods()["metadata"]["resourceVersion"])
    api.put(pod("a"))
    assert next(events)["type"] == "ADDED"
    api.stop()
    assert list(events) == []
    with pytest.raises(urllib.error.URLError):
        client.pods()
    api.start()
    assert names(client.pods()) == ["a"]


def test_single_objects_and_unknown_paths(api, client):
    api.put(pod("a"))
    assert client.get("/api/v1/namespaces/shop/pods/a")["metadata"]["name"] == "a"
    assert names(client.get("/api/v1/namespaces/other/pods")) == []
    assert refusal(lambda: client.get("/api/v1/namespaces/shop/pods/b")) == (404, "NotFound")
    assert refusal(lambda: client.get("/apis/policy/v1/poddisruptionbudgets")) == (404, "NotFound")
