"""kubectl-imagesweep with a fake kubectl: the pod that it selects, the arguments that it passes on, and its errors.
tests/cluster/test_plugin.py uses the real ones."""
import json
import os
import pathlib
import subprocess

import pytest

PLUGIN = pathlib.Path(__file__).resolve().parents[2] / "scripts/kubectl-imagesweep"
FLAGS = ["--namespace=imagesweep-system"]
# Answers `get pods` from $PODS (node|pod|phase|ready|deleted), and `exec` with the file named after the pod. Records
# every call.
KUBECTL = r'''#!/usr/bin/python3
import json, os, pathlib, sys
arguments, here = sys.argv[1:], pathlib.Path(os.environ["HERE"])
with open(here / "calls", "a") as calls:
    calls.write(json.dumps(arguments) + "\n")
if "get" in arguments:
    if os.environ.get("FORBIDDEN"):
        print('Error from server (Forbidden): pods is forbidden: User "eve" cannot list', file=sys.stderr)
        sys.exit(1)
    node = next((word.split("=")[2] for word in arguments if word.startswith("--field-selector=spec.nodeName=")), None)
    for line in os.environ["PODS"].splitlines():
        if node in (None, line.split("|")[0]):
            print(line)
elif "exec" in arguments:
    pod = arguments[arguments.index("exec") + 1]
    print((here / pod).read_text() if (here / pod).exists() else pod)
    sys.exit(int(os.environ.get("CODE_" + pod.replace("-", "_"), "0")))
else:
    sys.exit(99)
'''
ONE = "node1|agent-a|Running|True|\n"
TWO = ONE + "node2|agent-b|Running|True|\n"


class Plugin:
    def __init__(self, directory):
        self.directory = directory
        (directory / "kubectl").write_text(KUBECTL)
        (directory / "kubectl").chmod(0o755)

    def __call__(self, *arguments, pods=ONE, code=0, **environment):
        (self.directory / "calls").unlink(missing_ok=True)
        result = subprocess.run(
            ["/bin/sh", PLUGIN, *arguments], text=True, capture_output=True, timeout=20, stdin=subprocess.DEVNULL,
            env={"PATH": f"{self.directory}:{os.environ['PATH']}", "HERE": str(self.directory), "PODS": pods, **environment})
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        return result

    def calls(self, verb):
        path = self.directory / "calls"
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in calls if verb in call]


@pytest.fixture
def plugin(tmp_path):
    return Plugin(tmp_path)


@pytest.mark.parametrize("arguments, flags, handed_on", [
    (["plan"], FLAGS, ["plan"]),
    (["plan", "-o", "wide"], FLAGS, ["plan", "-o", "wide"]),
    (["plan", "-owide"], FLAGS, ["plan", "-o", "wide"]),
    (["plan", "--output=wide"], FLAGS, ["plan", "-o", "wide"]),
    (["-n", "tools", "plan"], ["--namespace=tools"], ["plan"]),
    (["plan", "-ntools"], ["--namespace=tools"], ["plan"]),
    (["plan", "--namespace=tools"], ["--namespace=tools"], ["plan"]),
    (["report", "--kubeconfig", "/a b/c", "--context=d e", "01a"],
     ["--kubeconfig=/a b/c", "--context=d e", *FLAGS], ["report", "01a"]),
    (["--node=node1", "explain", "a b", "*", "$x"], FLAGS, ["explain", "a b", "*", "$x"]),
    (["explain", "--", "--node", "-h"], FLAGS, ["explain", "--", "--node", "-h"]),
    (["history", ""], FLAGS, ["history", ""]),
    (["df", "--if-removed", "a", "b"], FLAGS, ["df", "--if-removed", "a", "b"]),
])
def test_what_is_ours_is_taken_out_and_the_rest_is_handed_on_as_it_is(plugin, arguments, flags, handed_on):
    assert plugin(*arguments).stdout == "agent-a\n"
    assert plugin.calls("exec") == [[*flags, "exec", "agent-a", "-c", "imagesweep", "--", "imagesweep", *handed_on]]
    (listed,) = plugin.calls("get")
    assert listed[:len(flags)] == flags
    assert "--selector=app.kubernetes.io/name=imagesweep,app.kubernetes.io/component=agent" in listed


@pytest.mark.parametrize("arguments, says", [
    ([], "Usage:"),
    (["sweep"], "unknown command sweep"),
    (["agent"], "unknown command agent"),
    (["--node"], "--node requires a value"),
    (["plan", "--node="], "--node requires a value"),
    (["plan", "-o"], "-o requires a value"),
    (["plan", "-n", ""], "-n requires a value"),
    (["plan", "--node=node1", "--all-nodes"], "cannot be used together"),
])
def test_wrong_usage_is_told_before_anything_is_asked(plugin, arguments, says):
    result = plugin(*arguments, code=2)
    assert says in result.stderr and result.stdout == "" and plugin.calls("") == []


def test_help_asks_nobody(plugin):
    assert "kubectl imagesweep COMMAND" in plugin("plan", "-h").stdout
    assert not (plugin.directory / "calls").exists()


def test_the_node_s_own_agent_is_asked(plugin):
    assert plugin("plan", "--node", "node2", pods=TWO).stdout == "agent-b\n"


def test_with_several_nodes_it_says_which_there_are(plugin):
    result = plugin("plan", pods=TWO, code=2)
    assert "--node" in result.stderr and "  node1\n  node2\n" in result.stderr and plugin.calls("exec") == []


def test_a_pod_that_is_about_to_go_is_not_asked(plugin):
    pods = "node1|agent-0|Running|True|2026-01-01T00:00:00Z\n" + ONE
    assert plugin("plan", pods=pods).stdout == "agent-a\n"


def test_no_agent_on_the_node(plugin):
    result = plugin("plan", "--node=node9", pods=TWO, code=1)
    assert "no agent on node node9 in namespace imagesweep-system" in result.stderr
    assert "nodes with an agent: node1 node2" in result.stderr


def test_no_agent_at_all(plugin):
    for arguments in (["plan"], ["plan", "--all-nodes"], ["plan", "--node=node1"]):
        result = plugin(*arguments, "-n", "elsewhere", pods="", code=1)
        assert "namespace elsewhere" in result.stderr and result.stdout == ""


def test_an_agent_that_is_not_ready_is_asked_and_one_that_has_not_started_is_not(plugin):
    result = plugin("report", pods="node1|agent-a|Running|False|\n")
    assert result.stdout == "agent-a\n" and "the agent on node node1 is not ready" in result.stderr
    result = plugin("report", pods="node1|agent-a|Pending||\n", code=1)
    assert "has not started: its pod agent-a is Pending" in result.stderr and plugin.calls("exec") == []


def test_what_is_forbidden_is_said_in_the_server_s_words(plugin):
    result = plugin("plan", code=1, FORBIDDEN="1")
    assert 'User "eve" cannot list' in result.stderr and "cannot list the agents' pods" in result.stderr


@pytest.mark.parametrize("code", [1, 2, 3])
def test_the_command_s_exit_code_is_the_plugin_s(plugin, code):
    plugin("plan", code=code, CODE_agent_a=str(code))


def test_all_nodes_are_told_one_after_the_other(plugin):
    assert plugin("plan", "--all-nodes", pods=TWO).stdout == "NODE node1\nagent-a\n\nNODE node2\nagent-b\n"
    assert plugin("plan", "--all-nodes", "-o", "name", pods=TWO).stdout == "agent-a\nagent-b\n"
    assert plugin("plan", "--all-nodes", "-o", "yaml", pods=TWO).stdout == "---\nagent-a\n---\nagent-b\n"


@pytest.mark.parametrize("pods, failing, expected", [
    (ONE, {}, ["a"]), (TWO, {}, ["a", "b"]),
    (TWO, {"CODE_agent_a": "3"}, ["b"]), (TWO, {"CODE_agent_b": "3"}, ["a"]), (ONE, {"CODE_agent_a": "3"}, []),
])
def test_all_nodes_as_json_are_a_list_also_when_one_fails(plugin, pods, failing, expected):
    for pod in ("a", "b"):
        (plugin.directory / f"agent-{pod}").write_text(json.dumps({"kind": "Plan", "node": pod, "text": "a\\n\"b"}))
    result = plugin("plan", "--all-nodes", "-o", "json", pods=pods, code=3 if failing else 0, **failing)
    made = json.loads(result.stdout)
    assert (made["apiVersion"], made["kind"]) == ("v1", "List")
    assert [item["node"] for item in made["items"]] == expected
    assert ("exit code 3" in result.stderr) == bool(failing)


def test_one_node_that_fails_does_not_silence_the_others(plugin):
    result = plugin("plan", "--all-nodes", pods="node1|agent-a|Pending||\n" + TWO.splitlines()[1] + "\n", code=1)
    assert "NODE node2\nagent-b" in result.stdout and "node node1: exit code 1" in result.stderr
