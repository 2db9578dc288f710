"""Each runtime adapter has one file with the calls that delete, delete.cpp, short enough to be read whole."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Any method of a generated gRPC client that deletes something, in any form of the call.
CALL = re.compile(r"\b(\w+)::Stub::(?:Async|PrepareAsync|async::)?((?:Delete|Remove|Prune|Cleanup|Abort)\w*)"
                  r"|(?:->|\.)\s*(RemoveImage|RemoveContainer|RemovePodSandbox)\s*\(")
# Any HTTP request that deletes: the method by its name in quotes, or as a constant of an HTTP library. The text "prune"
# covers POST requests of the Docker Engine.
REQUEST = re.compile(r'"DELETE"|\b(?:verb::delete_|methods::DEL)\b|"[^"\n]*/prune\b')
COMMENT = re.compile(r"(?:^|\s)//.*$", re.MULTILINE)


def calls(root):
    found = set()
    for path in sorted((root / "agent").rglob("*")):
        if path.suffix in (".h", ".cpp"):
            text, name = path.read_text(encoding="utf-8"), str(path.relative_to(root / "agent"))
            for match in CALL.finditer(text):
                found.add((name, match[3] or f"{match[1]}.{match[2]}"))
            if REQUEST.search(COMMENT.sub("", text)):
                found.add((name, "DELETE"))
    return found


def test_no_other_file_deletes():
    assert calls(ROOT) == {
        ("runtime/cri/delete.cpp", "ImageService.RemoveImage"),
        ("runtime/containerd/delete.cpp", "Images.Delete"),
        ("runtime/containerd/delete.cpp", "Leases.Delete"),  # a lease of our own: see EndLease
        ("runtime/docker/delete.cpp", "DELETE"),
    }


def test_the_ports_list_them():
    ports = (ROOT / "agent/model/ports.h").read_text()
    for path, _ in calls(ROOT):
        assert f"agent/{path}" in ports


def test_a_call_is_found_however_it_is_written(tmp_path):
    (tmp_path / "agent/gc/plan").mkdir(parents=True)
    (tmp_path / "agent/gc/plan/a.cpp").write_text("""
        calls.UnaryCall("x", stubs.content, &api::content::Content::Stub::Delete, request);
        calls.UnaryCall("x", snapshots, &Snapshots::Stub::AsyncRemove, request);
        stub->RemoveImage(&context, request, &reply);
        std::filesystem::remove(path);
    """)
    assert calls(tmp_path) == {("gc/plan/a.cpp", "Content.Delete"), ("gc/plan/a.cpp", "Snapshots.Remove"),
                               ("gc/plan/a.cpp", "RemoveImage")}


def test_an_http_request_is_found_however_it_is_written(tmp_path):
    (tmp_path / "agent/gc").mkdir(parents=True)
    for name, line in {"a": 'Request{.method = "DELETE", .target = path}', "b": "message.method(http::verb::delete_);",
                       "c": "client.request(methods::DEL, path)", "d": 'Post("/images/prune?filters=x")',
                       "e": 'Get("/images/json")  // DELETE is elsewhere'}.items():
        (tmp_path / f"agent/gc/{name}.cpp").write_text(line)
    assert calls(tmp_path) == {(f"gc/{name}.cpp", "DELETE") for name in "abcd"}
