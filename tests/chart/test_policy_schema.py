"""The schema of the policy: Helm rejects a policy with a wrong field before it reaches an agent, and accepts
each policy that an agent accepts."""
import textwrap

import pytest
import yaml

from lab import agent
from lab.chart import CHART, ROOT, helm, policy_configmap, render, template
from lab.pages import PAGES, Page

pytestmark = pytest.mark.usefixtures("each_helm")
SCHEMA = ROOT / "docs/reference/policy.schema.json"
HEAD = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\n"
DOCUMENTED = [pytest.param(text, id=f"{page.name} {number}") for page in map(Page, PAGES)
              for number, (language, text) in enumerate(page.blocks)
              if language == "yaml" and yaml.safe_load(text).get("kind") == "SweepPolicy"]


@pytest.fixture
def objections(tmp_path):
    """A function that returns the errors of Helm for a policy, as the values of a chart that has only the schema."""
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: policy\nversion: 0.1.0\n")
    (tmp_path / "values.schema.json").write_text(SCHEMA.read_text())

    def ask(text):
        result = helm("template", "x", tmp_path, "--values", "-", check=False, input=text)
        assert result.returncode == 0 or "don't meet the specifications of the schema" in result.stderr, result.stderr
        return result.stderr if result.returncode else ""
    return ask


def test_the_policies_of_the_documentation_are_found():
    assert len(DOCUMENTED) > 15 and any("docs/policy-cookbook.md" in case.id for case in DOCUMENTED)


@pytest.mark.parametrize("text", DOCUMENTED)
def test_a_policy_of_the_documentation_meets_the_schema(text, objections):
    assert objections(text) == ""
    rendered = policy_configmap(render({"policy": {"config": yaml.safe_load(text)}, "workloads": {"mode": "direct"}}))
    agent.run("policy", "validate", "-f", "-", input=rendered["data"]["policy.yaml"])


def test_every_field_with_its_default_meets_the_schema(objections):
    assert objections(agent.run("policy", "defaults").stdout) == ""


@pytest.mark.parametrize("text", [
    "minimumAge: 0", "minimumAge: 0s", "maximumAge: 1.5h", "initialDelay: 90000000us", "interval: 1h30m",
    "limits: {maxBytes: 0}", "limits: {maxBytes: 1.5}", "limits: {maxBytes: 1e9}", "limits: {maxBytes: 20Gi}",
    "limits: {maxBytes: 20GiB}", "limits: {maxBytes: 4096B}",
    "limits: {maxBytes: 1.5e3Mi}", "reporting: {storageCostPerGiBMonth: 0.023}", "reporting: {storageCostPerGiBMonth: 1}",
    "keep:", "rules:", "diskUsage: {critical: , inodes: }", "keep: {images: , workloads: }", "windows: []",
    "windows: [{start: 22:00, end: 24:00}]", "windows: [{days: [Mon, Sun], start: '22:00', end: '04:00', timeZone: UTC}]",
    "keep: {archive: {path: '', maxSize: 0}}", "keep: {archive: {path: /state/archive, maxSize: 1k}}",
    "keep: {tags: ['1.10', 2024-01-31, prod-*]}", "sizeLimits: [{images: '**', maxSize: 2e9}]",
    "rules: [{name: a, selector: {}, minimumAge: 0, keepLast: 0, localOnly: Never}]",
    "overrides: [{nodeSelector: {pool: ci}, policy: {dryRun: false, keep: , limits: {maxImages: 5}}}]",
    "overrides: [{nodeSelector: {gpu: 'true', empty: ''}, policy: {rules: [{name: a, action: Keep}]}}]",
])
def test_the_schema_refuses_nothing_that_the_program_accepts(text, objections):
    agent.run("policy", "validate", "-f", "-", input=f"{HEAD}{text}\n")
    assert objections(f"{HEAD}{text}\n") == ""
    # In the chart, Helm merges the policy with the chart's, and writes it again.
    values = "policy:\n  config:\n" + textwrap.indent(f"{text}\n", "    ")
    objects = filter(None, yaml.safe_load_all(helm("template", "x", CHART, "--values", "-", input=values).stdout))
    agent.run("policy", "validate", "-f", "-", input=policy_configmap(objects)["data"]["policy.yaml"])


@pytest.mark.parametrize("text, where, what", [
    ("dryrun: false", "", "dryrun"),
    ("dryRun: 'false'", "/dryRun", "boolean"),
    ("keep: {imagse: [a]}", "/keep", "imagse"),
    ("keep: {workloads: {enable: true}}", "/keep/workloads", "enable"),
    ("keep: {localOnly: never}", "/keep/localOnly", "UnlessSuperseded"),
    ("minimumAge: 3600", "/minimumAge", "3,600"),
    ("interval: 0", "/interval", "string"),
    ("maximumAge: 7 days", "/maximumAge", "pattern"),
    ("limits: {maxBytes: 20GB}", "/limits/maxBytes", "pattern"),
    ("limits: {maxPercentOfImages: 101}", "/limits/maxPercentOfImages", "100"),
    ("reporting: {storageCostPerGiBMonth: -1}", "/reporting/storageCostPerGiBMonth", "minimum"),
    ("windows: [{start: '22:00'}]", "/windows/0", "end"),
    ("windows: [{start: '22:00', end: '24:01'}]", "/windows/0/end", "pattern"),
    ("rules: [{name: a, selector: {image: [b]}}]", "/rules/0/selector", "image"),
    ("rules: [{name: a, action: Untag}]", "/rules/0/action", "Evaluate"),
    ("overrides: [{nodeSelector: {pool: ci}, policy: {keep: {imagse: [a]}}}]", "/overrides/0/policy/keep", "imagse"),
    ("overrides: [{nodeSelector: {pool: ci}, policy: {kind: SweepPolicy}}]", "/overrides/0/policy", "kind"),
    ("overrides: [{nodeSelector: {}, policy: {dryRun: false}}]", "/overrides/0/nodeSelector", "minProperties"),
])
def test_helm_refuses_a_wrong_field_and_names_its_place(text, where, what):
    agent.run("policy", "validate", "-f", "-", input=f"{HEAD}{text}\n", code=2)
    result = template({"policy": {"config": yaml.safe_load(text)}}, check=False)
    assert result.returncode == 1 and "don't meet the specifications of the schema" in result.stderr
    assert f"at '/policy/config{where}': " in result.stderr and what in result.stderr.partition(f"config{where}': ")[2]


def test_a_misspelt_field_is_refused_by_lint_too(tmp_path):
    (tmp_path / "values.yaml").write_text("policy: {config: {keep: {imagse: [a]}}}\n")
    result = helm("lint", CHART, "--values", tmp_path / "values.yaml", check=False)
    assert result.returncode == 1 and "at '/policy/config/keep': additional properties 'imagse'" in result.stdout
