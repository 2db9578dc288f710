"""What the command line understands and what it refuses, and in which words; none of it needs a node."""
import pytest

from lab import agent


def run(*arguments, code, env=None):
    if env is None:
        return agent.run(*arguments, code=code)
    import subprocess
    result = subprocess.run([str(agent.program()), *arguments], text=True, capture_output=True, timeout=120,
                            env={**agent.environment(), **env})
    assert result.returncode == code, result.stdout + result.stderr
    return result


@pytest.mark.parametrize("words, says", [
    (["bogus"], ['no command "bogus"', "`imagesweep --help`"]),
    (["plam"], ['no command "plam"', 'did you mean "plan"?']),
    (["-o", "json", "histroy"], ['no command "histroy"', 'did you mean "history"?']),
    (["policy", "valdate"], ['no command "valdate"', 'did you mean "validate"?', "`imagesweep policy --help`"]),
    (["sweep", "--dry-run", "false"], ["--dry-run=false"]),
    (["agent", "--events", "false"], ["--events=false"]),
    (["policy", "defaults", "-o", "json"], ["--output does nothing for `policy`"]),
    (["policy", "validate", "-f", "x", "--no-headers"], ["--no-headers does nothing for `policy`"]),
    (["history", "--kubeconfig=x"], ["--kubeconfig does nothing for `history`"]),
    (["report", "--no-headers"], ["--no-headers does nothing for `report`"]),
    (["version", "--state-dir", "x"], ["--state-dir does nothing for `version`"]),
    (["analyze", "--no-headers"], ["--no-headers does nothing for `analyze`"]),
    (["plan", "--policy-file", "FILE", "--policy-configmap", "a/b"],
     ["--policy-file FILE and --policy-configmap a/b are both given"]),
    (["plan", "--diff"], ["plan --diff needs --policy-file or --profile"]),
    (["sweep", "-o", "markdown"], ["-o markdown is for report, analyze and plan --diff"]),
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
    assert "--policy-file x and --policy-configmap a/b are both given" in result.stderr


def test_the_environment_may_say_what_a_command_does_not_read():
    run("version", code=0, env={"IMAGESWEEP_STATE_DIR": "x", "IMAGESWEEP_POLICY_FILE": "y"})
