"""`imagesweep policy` needs no node: exit code 0 for a valid policy, 2 for an invalid one with every error."""
import json

import pytest
import yaml

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


def config_map(text, key="policy.yaml"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, "data": {key: text}}


GOOD = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n"


def test_the_file_needs_no_flag(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    assert agent.run("policy", "validate", file).stdout == f"{file} is valid\n"
    assert agent.run("policy", "validate", "-", input=GOOD).stdout == "standard input is valid\n"
    agent.run("policy", "validate", file, "-f", file, code=2)


def test_a_manifest_of_a_configmap_is_read_for_its_policy():
    valid = 'standard input: key "policy.yaml" of ConfigMap "b/a" is valid\n'
    for text in (yaml.safe_dump(config_map(GOOD)), json.dumps(config_map(GOOD))):
        assert agent.run("policy", "validate", "-", input=text).stdout == valid
    other = json.dumps(config_map(GOOD, key="other"))
    result = agent.run("policy", "validate", "-", input=other, code=2)
    assert 'ConfigMap "b/a" has no key "policy.yaml" in data, which has "other"' in result.stderr
    agent.run("policy", "validate", "-", "--policy-key=other", input=other)


def test_the_errors_of_a_manifest_have_the_lines_of_the_file():
    head = "kind: ConfigMap\ndata:\n  policy.yaml: |\n"
    block = head + "".join(f"    {line}\n" for line in (GOOD + "interval: 1s").splitlines())
    result = agent.run("policy", "validate", "-", input=block, code=2)
    assert result.stderr == 'imagesweep: standard input: key "policy.yaml" of ConfigMap is not a valid policy:\n' \
                            'interval: Invalid value: "1s": must be at least 1m (line 6)\n'
    result = agent.run("policy", "validate", "-", input=json.dumps(config_map(GOOD + "interval: 1s")), code=2)
    assert "(line numbers refer to the policy text)" in result.stderr and "(line 3)" in result.stderr


def test_ensure_space_and_policies_read_the_same_sizes(tmp_path):
    policy = GOOD + "limits: {maxBytes: %s}\n"
    for size, code in (("20Gi", 0), ("20GiB", 0), ("1.5TiB", 0), ("4096B", 0), ("20GB", 2), ("20gib", 2)):
        agent.run("policy", "validate", "-", input=policy % size, code=code)
        said = agent.run("ensure-space", size, "--runtime-endpoint=unix:///none.sock", "--without-kubernetes",
                         f"--state-dir={tmp_path}", code=None)
        assert (said.returncode == 2) == (code == 2), said.stderr


def test_usage_errors():
    for arguments in (["no-such-command"], ["sweep", "--no-such-flag"], ["policy", "validate"], []):
        agent.run(*arguments, code=2)


def test_version():
    version = json.loads(agent.run("version", "-o", "json").stdout)
    assert version["version"] and version["revision"]


def test_warns_of_valid_settings_that_look_like_mistakes(tmp_path):
    rules = 'rules: [{name: all}, {name: late, action: Keep, selector: {tags: ["v*"]}}]'
    result = validate(tmp_path, f"apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n{rules}\n", code=0)
    assert result.stderr.startswith('Warning: rules[1] "late" has no effect') and "is valid" in result.stdout
