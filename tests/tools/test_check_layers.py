"""tools/check_layers finds everything that its table forbids, and nothing else."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(root):
    return subprocess.run([ROOT / "tools/check_layers", root], text=True, capture_output=True)


@pytest.fixture(autouse=True)
def rules(tmp_path):
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent/layers.txt").write_text((ROOT / "agent/layers.txt").read_text())


def write(root, path, *lines):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("// first line\n" + "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("path, include, says", [
    ("agent/gc/plan/a.cpp", '#include "agent/runtime/cri/images.h"', "agent/gc/plan may not include agent/runtime/cri"),
    ("agent/runtime/cri/a.cpp", '#include "agent/kube/pods/a.h"', "agent/runtime/cri may not include agent/kube/pods"),
    ("agent/base/a.h", '#include "agent/model/image.h"', "agent/base may not include agent/model"),
    ("agent/kube/watch/a.h", '#include "agent/kube/pods/a.h"', "agent/kube/watch may not include agent/kube/pods"),
    ("agent/gc/observe/a.h", '#include "agent/gc/sweeper.h"', "agent/gc/observe may not include agent/gc"),
    ("agent/gc/plan/a.cpp", "#include <grpcpp/grpcpp.h>", "agent/gc/plan may not include grpc"),
    ("agent/gc/plan/a.cpp", "#include <unistd.h>", "agent/gc/plan may not include posix"),
    ("agent/model/a.h", "  #  include <nlohmann/json.hpp>", "agent/model may not include nlohmann"),
    ("agent/state/a.h", "#include <sqlite3.h>", "sqlite belongs in a .cpp file"),
    ("agent/kube/client/a.cpp", "#include <yaml-cpp/yaml.h>", "yaml-cpp belongs in agent/kube/client/kubeconfig.cpp alone"),
    ("agent/report/render/a.cpp", "#include <yaml-cpp/yaml.h>", "yaml-cpp belongs in agent/report/render/yaml.cpp alone"),
    ("agent/gc/plan/a.cpp", "#include <tbb/task.h>", "no library of the table"),
    ("agent/gc/plan/a.cpp", '#include "planner.h"', 'included as "agent/FOLDER/FILE"'),
    ("agent/gc/plan/a.cpp", '#include "tests/support/fake.h"', 'included as "agent/FOLDER/FILE"'),
    ("agent/misc/a.cpp", "", "agent/misc has no row"),
])
def test_names_file_line_and_rule(tmp_path, path, include, says):
    write(tmp_path, path, include)
    result = run(tmp_path)
    assert result.returncode == 1
    line = 1 if not include else 2
    assert result.stdout.startswith(f"{path}:{line}: ")
    assert says in result.stdout
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize("folder, include", [
    ("kube/client", "#include <cpprest/http_client.h>"), ("server/web", "#include <openssl/evp.h>"),
    ("state", "#include <sqlite3.h>"), ("policy", "#include <yaml-cpp/yaml.h>"),
    ("runtime", "#include <openssl/evp.h>"),
])
def test_a_library_of_one_file_in_two(tmp_path, folder, include):
    write(tmp_path, f"agent/{folder}/a.cpp", include)
    assert run(tmp_path).returncode == 0
    write(tmp_path, f"agent/{folder}/b.cpp", include)
    result = run(tmp_path)
    assert result.returncode == 1
    assert f"agent/{folder}/b.cpp:2: " in result.stdout and "which is a.cpp" in result.stdout


def test_allows_what_the_table_allows(tmp_path):
    write(tmp_path, "agent/gc/plan/a.cpp", '#include "agent/gc/plan/a.h"', '#include "agent/model/b.h"', "#include <vector>")
    write(tmp_path, "agent/gc/a.cpp", '#include "agent/gc/observe/a.h"', '#include "agent/report/documents/b.h"')
    write(tmp_path, "agent/kube/client/kubeconfig.cpp", "#include <yaml-cpp/yaml.h>", "#include <nlohmann/json.hpp>")
    write(tmp_path, "agent/runtime/cri/a.h", "#include <grpcpp/grpcpp.h>", "#include <sys/socket.h>")
    write(tmp_path, "agent/cmd/a.cpp", '#include "agent/runtime/cri/a.h"', '#include "agent/kube/b.h"', "#include <CLI/CLI.hpp>")
    result = run(tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_project_keeps_to_its_table():
    result = run(ROOT)
    assert result.returncode == 0, result.stdout
