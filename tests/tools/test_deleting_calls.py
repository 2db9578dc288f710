"""Each runtime adapter has one file with the calls that delete, delete.cpp, short enough to be read whole."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Any method of a generated gRPC client that deletes something, in any form of the call.
CALL = re.compile(r"\b(\w+)::Stub::(?:Async|PrepareAsync|async::)?((?:Delete|Remove|Prune|Cleanup|Abort)\w*)"
                  r"|(?:->|\.)\s*(RemoveImage|RemoveContainer|RemovePodSandbox)\s*\(")


def calls(root):
    found = set()
    for path in sorted((root / "agent").rglob("*")):
        if path.suffix in (".h", ".cpp"):
            for match in CALL.finditer(path.read_text(encoding="utf-8")):
                found.add((str(path.relative_to(root / "agent")), match[3] or f"{match[1]}.{match[2]}"))
    return found


def test_no_other_file_deletes():
    assert calls(ROOT) == {
        ("runtime/cri/delete.cpp", "ImageService.RemoveImage"),
        ("runtime/containerd/delete.cpp", "Images.Delete"),
        ("runtime/containerd/delete.cpp", "Leases.Delete"),  # a lease of our own: see EndLease
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
