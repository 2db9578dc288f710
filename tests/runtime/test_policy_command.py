"""`imagesweep policy` needs no node: exit code 0 for a valid policy, 2 for an invalid one with every error."""
import json

import pytest

from lab import agent


def validate(tmp_path, text, code):
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    return agent.run("policy", "validate", "-f", file, code=code)


def test_the_printed_defaults_are_a_valid_policy(tmp_path):
    defaults = agent.run("policy", "defaults").stdout
    assert "dryRun: true" in defaults
    validate(tmp_path, defaults, code=0)


@pytest.mark.parametrize("line, says", [
    ("minimumAge: -1h", "minimumAge"), ("interval: 1s", "interval"), ("unknown: 1", "unknown"),
    ("limits: {maxPercentOfImages: 101}", "limits.maxPercentOfImages"), ("keep: {imagse: []}", "did you mean"),
    ("dryRun: [", ""),
])
def test_a_bad_policy(tmp_path, line, says):
    result = validate(tmp_path, f"apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n{line}\n", code=2)
    assert says in result.stdout + result.stderr


def test_all_complaints_at_once(tmp_path):
    text = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\ninterval: 1s\nminimumAge: x\njitterPercent: 200\n"
    result = validate(tmp_path, text, code=2)
    for field in ("interval", "minimumAge", "jitterPercent"):
        assert field in result.stdout + result.stderr


def test_usage_errors():
    for arguments in (["no-such-command"], ["sweep", "--no-such-flag"], ["policy", "validate"], []):
        agent.run(*arguments, code=2)


def test_version():
    version = json.loads(agent.run("version", "-o", "json").stdout)
    assert version["version"] and version["revision"]


def test_what_is_valid_and_looks_like_a_mistake_is_told(tmp_path):
    rules = 'rules: [{name: all}, {name: late, action: Keep, selector: {tags: ["v*"]}}]'
    result = validate(tmp_path, f"apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n{rules}\n", code=0)
    assert result.stderr.startswith('Warning: rules[1] "late" decides for nothing') and "is valid" in result.stdout
