"""What `imagesweep status` says about an agent, and about none; none of it needs a node."""
import json
import subprocess

import pytest

from lab import agent
from lab.cell import wait_until


def ask(*arguments, code, **env):
    result = subprocess.run([agent.program(), "status", *map(str, arguments)], text=True, capture_output=True, timeout=60,
                            env={**agent.environment(), **env})
    assert result.returncode == code, result.stdout + result.stderr
    return result


@pytest.mark.parametrize("words, env", [(["--address=127.0.0.1:1"], {}), ([], {"IMAGESWEEP_LISTEN_ADDRESS": ":1"})],
                         ids=["flag", "variable"])
def test_no_agent_is_a_failure_that_says_what_to_do(words, env):
    result = ask(*words, code=1, **env)
    assert result.stdout == "" and "cannot reach the agent at 127.0.0.1:1: " in result.stderr
    assert "set --address to its --listen-address" in result.stderr


def test_wrong_usage_is_named():
    assert 'invalid address "nonsense" of the agent; use HOST:PORT' in ask("--address", "nonsense", code=2).stderr
    assert "--kubeconfig is not supported by `status`" in ask("--kubeconfig", "x", code=2).stderr


@pytest.mark.parametrize("page", ["loopback", "off"])
def test_a_running_agent_says_what_it_misses(tmp_path, page):
    policy = tmp_path / "policy.yaml"
    policy.write_text(agent.policy())
    with agent.Agent("--without-kubernetes", "--policy-file", policy, "--state-dir", tmp_path / "state", "--status-page", page,
                     "--runtime-endpoint", f"unix://{tmp_path}/none.sock") as running:
        running.wait_for("Loaded policy")
        address = ("--address", running.address)
        assert wait_until(lambda: "none.sock" in ask(*address, code=1).stdout, 20)
        text = ask(*address, code=1).stdout
        assert text.startswith("Unhealthy: runtime: ") and "none.sock" in text.splitlines()[0]
        assert f"Policy:     file:{policy}" in text
        assert ("Last run:   none yet" in text) == (page == "loopback")
        assert ("Details:    the agent does not serve /api/v1/status" in text) == (page == "off")
        document = json.loads(ask(*address, "-o", "json", code=1).stdout)
        assert document["kind"] == "AgentStatus" and document["well"] is False and document["lastRun"] is None
