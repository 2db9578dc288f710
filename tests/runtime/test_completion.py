"""The completion scripts offer the commands and flags of the program. No test needs a node."""
import re
import shutil
import subprocess

import pytest

from lab import agent

SHELLS = ["bash", "zsh", "fish"]


def script(shell):
    return agent.run("completion", shell).stdout


@pytest.fixture(scope="module")
def bash():
    text = script("bash")

    def complete(*words):
        """The words that bash offers for the last of WORDS."""
        line = "; ".join(['source /dev/stdin', f'COMP_WORDS=(imagesweep {" ".join(map(repr, words))})',
                          f"COMP_CWORD={len(words)}", "_imagesweep", 'printf "%s\\n" "${COMPREPLY[@]}"'])
        result = subprocess.run(["bash", "--norc", "-c", line], input=text, text=True, capture_output=True, check=True)
        assert result.stderr == ""
        return set(result.stdout.split())
    return complete


def commands_in_help(*words):
    listed = agent.run(*words, "--help").stdout.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^  ([\w-]+)", listed, re.MULTILINE))


def flags_in_help(*words):
    return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", agent.run(*words, "--help").stdout, re.MULTILINE))


def test_bash_offers_every_command(bash):
    commands = commands_in_help()
    assert {"agent", "images", "status", "policy", "completion"} <= commands
    assert {word for word in bash("") if not word.startswith("-")} == {*commands, "prune"}
    assert bash("st") == {"status"}
    assert {word for word in bash("policy", "") if not word.startswith("-")} == commands_in_help("policy")


def test_bash_offers_the_flags_of_a_command_and_those_that_it_shares(bash):
    for command in ("restore", "agent", "analyze"):
        own = flags_in_help(command)
        assert len(own) > 2 and own <= bash(command, "-")
    assert "--kubeconfig" in bash("plan", "--") and "--kubeconfig" not in bash("status", "--")
    assert bash("policy", "validate", "--f") == {"--filename"}


def test_bash_offers_the_values_of_a_flag(bash):
    assert bash("plan", "-o", "j") == {"json"}
    # readline passes "=" as a separate word
    assert bash("agent", "--status-page", "=") == {"loopback", "all", "off"}
    assert bash("agent", "--status-page", "=", "l") == {"loopback"}
    assert {"verdict=Remove", "in-use=true"} <= bash("images", "--filter", "")
    assert bash("images", "--filter", "verdict", "=") == {"Keep", "Remove", "Defer"}
    assert bash("images", "--filter", "verdict", "=", "R") == {"Remove"}
    assert bash("images", "--sort", "l") == {"last-used"}
    assert bash("plan", "--kubeconfig", "") == set(), "the shell completes files"
    assert bash("completion", "") >= set(SHELLS)


def test_the_value_of_a_flag_is_not_taken_for_a_command(bash):
    assert bash("--node-name", "images", "st") == {"status"}


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_is_valid_and_names_every_command_and_flag(shell):
    text = script(shell)
    if shell == "bash" or shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)
    for command in commands_in_help():
        assert re.search(rf"\b{command}\b", text), command
        for flag in flags_in_help(command):
            assert re.search(rf"(?:--|-l ){flag[2:]}\b", text), flag


def test_another_shell_is_refused():
    assert "tcsh not in {bash,zsh,fish}" in agent.run("completion", "tcsh", code=2).stderr
