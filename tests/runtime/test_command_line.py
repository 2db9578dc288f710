"""The commands and flags that the program accepts or refuses, and its messages. No test needs a node."""
import subprocess

import pytest

from lab import agent

TWO = ["--runtime-endpoint=unix:///run/a.sock", "--runtime-endpoint=unix:///run/b.sock"]


def run(*arguments, code, env=None):
    if env is None:
        return agent.run(*arguments, code=code)
    result = subprocess.run([str(agent.program()), *arguments], text=True, capture_output=True, timeout=120,
                            env={**agent.environment(), **env})
    assert result.returncode == code, result.stdout + result.stderr
    return result


@pytest.mark.parametrize("words, says", [
    (["bogus"], ['unknown command "bogus"', "`imagesweep --help`"]),
    (["plam"], ['unknown command "plam"', 'did you mean "plan"?']),
    (["-o", "json", "histroy"], ['unknown command "histroy"', 'did you mean "history"?']),
    (["policy", "valdate"], ['unknown command "valdate"', 'did you mean "validate"?', "`imagesweep policy --help`"]),
    (["sweep", "--dry-run", "false"], ["--dry-run=false"]),
    (["agent", "--events", "false"], ["--events=false"]),
    (["policy", "defaults", "-o", "json"], ["--output is not supported by `policy`"]),
    (["policy", "validate", "-f", "x", "--no-headers"], ["--no-headers is not supported by `policy validate`"]),
    (["policy", "validate", "x", "--policy-file=y"], ["--policy-file is not supported by `policy validate`"]),
    (["policy", "defaults", "--policy-key=x"], ["--policy-key is not supported by `policy`"]),
    (["policy", "validate", "a", "b"], ["unexpected arguments: b"]),
    (["policy", "validate"], ["FILE"]),
    (["history", "--timeout=3s"], ["--timeout is not supported by `history`"]),
    (["watch", "-o", "json"], ["--output is not supported by `watch`"]),
    (["report", "--no-headers"], ["--no-headers is not supported by `report`"]),
    (["version", "--state-dir", "x"], ["--state-dir is not supported by `version`"]),
    (["analyze", "--no-headers"], ["--no-headers is not supported by `analyze`"]),
    (["analyze", "--compare", "a", "b", "--timeout=3s"], ["--timeout is not supported by `analyze --compare`"]),
    (["plan", "--policy-file", "FILE", "--policy-configmap", "a/b"],
     ["cannot use both --policy-file FILE and --policy-configmap a/b"]),
    (["sweep", "--policy-file", ""], ["--policy-file must not be empty"]),
    (["ensure-space", "1Gi", "--policy-configmap="], ["--policy-configmap: 1 required TEXT missing"]),
    (["sweep", "--policy-file=", "--runtime-endpoint", "x"], ["unexpected arguments: x"]),
    (["plan", "a", "b", "--kubconfig", "x", "c"],
     ["unexpected arguments: a b --kubconfig x c; did you mean --kubeconfig?"]),
    (["df", "--if-removed", "--runtime-endpoint=x"], ["--if-removed", "requires an IMAGE"]),
    (["df", "--if-removed"], ["--if-removed: 1 required IMAGE missing"]),
    (["analyze", "--layers", "--limit=0"], ["--limit", "not in range 1 to 1000"]),
    (["images", "--filter", "verdit=Remove"],
     ['--filter: unknown key "verdit"; valid keys are verdict, code, origin, repository, in-use']),
    (["images", "--filter", "verdict=Gone"], ['invalid value "Gone" of verdict; valid values are Keep, Remove, Defer']),
    (["images", "--sort", "-weight"], ['--sort: unknown key "-weight"; valid keys are name, size, age, and last-used']),
    (["images", "-q", "-o", "json"], ["cannot use both --quiet, which prints only image IDs, and --output"]),
    (["plan", "--diff"], ["plan --diff requires --policy-file or --profile"]),
    (["sweep", "--dry-run=no"], ["--dry-run", "no not in {true,false}"]),
    (["ensure-space", "1Gi", "--dry-run=no"], ["--dry-run", "no not in {true,false}"]),
    *[([*command, *TWO], [f"`{command[0]}` got 2 --runtime-endpoint", "pass the flag once"])
      for command in (["sweep"], ["sweep", "--dry-run=false"], ["ensure-space", "1Gi"], ["restore", "--last"],
                      ["agent", "--without-kubernetes"], ["watch"], ["plan"], ["images"], ["df"], ["analyze"],
                      ["explain", "x"], ["history"])],
    (["report", "--run", "x", *TWO], ["cannot use both --run", "and several --runtime-endpoint"]),
    (["report", "--kubeconfig", "x", *TWO], ["cannot use --kubeconfig with several --runtime-endpoint"]),
    (["report", "-o", "name", *TWO], ["-o name is not supported by report with several --runtime-endpoint"]),
    (["report", "--runtime-endpoint=/a", "--runtime-endpoint", ""], ["--runtime-endpoint must not be empty"]),
    (["report", "--runtime-endpoint=/a", "--runtime-endpoint=/a"],
     ["unix:///a and unix:///a are the same image store"]),
    (["report", "--runtime-endpoint=/a", "--runtime-endpoint=b"], ['runtime endpoint "b": the path is not absolute']),
    (["sweep", "-o", "markdown"], ["-o markdown is supported only by report, analyze, and plan"]),
])
def test_wrong_usage_is_named(words, says):
    result = run(*words, code=2)
    assert all(part in result.stderr for part in says), result.stderr
    assert result.stdout == ""


def test_the_version_is_also_a_flag():
    assert run("--version", code=0).stdout == run("version", code=0).stdout


@pytest.mark.parametrize("words", [["plan"], ["sweep"], ["report"], ["policy"], ["policy", "validate"]])
def test_the_help_of_a_command_points_to_the_shared_flags(words):
    assert "`imagesweep --help` lists the flags that all commands share." in run(*words, "--help", code=0).stdout


def test_the_help_says_what_a_run_by_hand_does_to_a_policy_with_dry_run():
    assert "also when the policy has dryRun: true" in " ".join(run("sweep", "--help", code=0).stdout.split())


def test_a_policy_on_the_command_line_beats_one_from_the_environment(tmp_path):
    elsewhere = {"IMAGESWEEP_POLICY_CONFIGMAP": "a/b", "KUBECONFIG": str(tmp_path / "none")}
    result = run("plan", "--policy-file", "x", code=1, env=elsewhere)
    assert "both" not in result.stderr
    result = run("plan", code=2, env={**elsewhere, "IMAGESWEEP_POLICY_FILE": "x"})
    assert "cannot use both --policy-file x and --policy-configmap a/b" in result.stderr


def test_the_environment_may_say_what_a_command_does_not_read():
    run("version", code=0, env={"IMAGESWEEP_STATE_DIR": "x", "IMAGESWEEP_POLICY_FILE": "y"})


def test_reading_the_history_makes_nothing(tmp_path):
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.mkdir()
    for command in ("history", "report"):
        assert f"{missing} does not exist: " in run(command, f"--state-dir={missing}", code=1).stderr
    for output in ("table", "wide", "json", "yaml", "name"):
        result = run("history", f"--state-dir={empty}", "-o", output, code=0)
        assert "no runs recorded yet" in result.stderr
        assert (result.stdout == "") == (output in ("table", "wide", "name"))
    assert "no runs recorded" in run("report", f"--state-dir={empty}", code=1).stderr
    assert list(empty.iterdir()) == [] and not missing.exists()
    file = tmp_path / "file"
    file.write_text("")
    assert "is not a directory" in run("history", f"--state-dir={file}", code=1).stderr


def test_a_policy_that_cannot_be_read_is_one_code_and_a_wrong_one_another(tmp_path):
    wrong, long = tmp_path / "wrong.yaml", tmp_path / "long.yaml"
    wrong.write_text("kind: Pod\n")
    long.write_text("#" * (1 << 20) + "#")
    for policy, code in ((tmp_path, 1), (tmp_path / "missing", 1), (wrong, 2), (long, 2)):
        run("policy", "validate", "-f", policy, code=code)


KUBECONFIG = """apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: it, user: it}}}}]
clusters: [{{name: it, cluster: {{server: "https://127.0.0.1:1"{more}}}}}]
users: [{{name: it, user: {{token: x}}}}]
"""


def test_a_kubeconfig_without_authority_says_how_to_add_it(tmp_path):
    (tmp_path / "config").write_text(KUBECONFIG.format(more=""))
    result = run("images", "--kubeconfig", tmp_path / "config", code=2)
    assert "has no certificate-authority" in result.stderr and "kubectl config set-cluster" in result.stderr


def test_a_server_that_does_not_answer_is_named(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=it", "-keyout", tmp_path / "key", "-out", tmp_path / "ca.crt"],
                   check=True, capture_output=True)
    (tmp_path / "config").write_text(KUBECONFIG.format(more=", certificate-authority: ca.crt"))
    result = run("plan", "--kubeconfig", tmp_path / "config", "--policy-configmap", "a/b",
                 f"--runtime-endpoint=unix://{tmp_path}/none.sock", code=1)
    assert "the API server https://127.0.0.1:1 does not answer: " in result.stderr
    assert "--without-kubernetes" in result.stderr


def test_explains_how_to_run_an_agent_without_a_cluster(tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(agent.policy())
    result = run("agent", "--policy-file", policy, "--listen-address=127.0.0.1:0", code=2)
    assert "--without-kubernetes" in result.stderr


def test_reports_an_unavailable_runtime_as_such(tmp_path):
    for command in ("images", "plan", "analyze"):
        result = run(command, "--without-kubernetes", f"--state-dir={tmp_path}/state",
                     f"--runtime-endpoint=unix://{tmp_path}/none.sock", code=1)
        assert "cannot reach the runtime: " in result.stderr and "aborted" not in result.stderr


@pytest.mark.parametrize("command", [["sweep"], ["ensure-space", "1Gi"], ["restore", "--last"]], ids=lambda words: words[0])
def test_obeys_a_variable_that_forbids_changes(command):
    result = subprocess.run([agent.program(), *command, "--dry-run=false"], text=True, capture_output=True,
                            env={**agent.environment(), "IMAGESWEEP_DRY_RUN": "true"})
    assert result.returncode == 2 and "IMAGESWEEP_DRY_RUN=true forbids changes" in result.stderr
