"""The calls that delete parts of an image are in two files, which are short enough to read completely."""
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
    tags = {("containerd/name_remover.cpp", "Images.Delete")}  # for rules with action Untag
    assert calls(ROOT) - tags == {
        ("cri/image_remover.cpp", "ImageService.RemoveImage"),
        ("containerd/delete.cpp", "Images.Delete"),
        ("containerd/delete.cpp", "Leases.Delete"),  # one garbage collection
        ("containerd/import.cpp", "Leases.Delete"),  # of restore, which kept the imported content
    }


def test_a_call_is_found_however_it_is_written(tmp_path):
    (tmp_path / "agent/plan").mkdir(parents=True)
    (tmp_path / "agent/plan/a.cpp").write_text("""
        calls.Ask("x", stubs.content, &api::content::Content::Stub::Delete, request);
        calls.Ask("x", snapshots, &Snapshots::Stub::AsyncRemove, request);
        stub->RemoveImage(&context, request, &reply);
        std::filesystem::remove(path);
    """)
    assert calls(tmp_path) == {("plan/a.cpp", "Content.Delete"), ("plan/a.cpp", "Snapshots.Remove"),
                               ("plan/a.cpp", "RemoveImage")}
