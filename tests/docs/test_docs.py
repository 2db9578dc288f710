"""The documentation is correct: its policies are valid, its commands exist, its links work, and its quotations are
output of the program."""
import re
import socket
import subprocess

import pytest
import yaml

from lab import agent, gobuild
from lab.chart import CHART, CI, NAMESPACE, ROOT, helm, one, render
from lab.pages import PAGES, Page, is_printed, literals

ALL = [Page(path) for path in PAGES]
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
FOR_PEOPLE = [page for page in ALL if not page.name.startswith(("docs/decisions/", "docs/reference/", "CONTRIBUTING"))]


def page_named(name):
    return next(page for page in ALL if page.name == name)


def found(kind):
    """(page, item) for each item, as parameters with readable names. An empty list would test nothing."""
    items = {}
    for page in ALL:
        for item in kind(page):
            items.setdefault(str(item), (page.name, item))
    assert items
    return [pytest.param(item, id=f"{name}: {text[:60].strip()}") for text, (name, item) in items.items()]


def validate(policy):
    agent.run("policy", "validate", "-f", "-", input=policy)


def yaml_blocks(page):
    return [text for language, text in page.blocks if language in ("yaml", "yml")]


@pytest.mark.parametrize("text", found(yaml_blocks))
def test_a_yaml_block_is_a_valid_policy_or_valid_values(text):
    content = yaml.safe_load(text)
    if "kind" in content:
        assert content["kind"] == "SweepPolicy", "say here how this kind is checked"
        validate(text)
    else:
        policies_of(render(content))


def policies_of(objects):
    """Validates the policies that the chart made."""
    for item in objects:
        if item["kind"] == "ConfigMap" and "policy.yaml" in item.get("data", {}):
            validate(item["data"]["policy.yaml"])


def test_each_recipe_has_a_policy():
    cookbook = page_named("docs/policy-cookbook.md")
    text = cookbook.path.read_text()
    recipes = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert len(recipes) > 10 and all("```yaml\napiVersion: imagesweep/v1alpha1\n" in recipe for recipe in recipes)


def commands(program):
    return lambda page: [words for words in page.commands() if words[0] == program]


def own_commands(page):
    """The commands, including those that kubectl starts in the container of the agent."""
    for words in page.commands():
        if words[0] == "kubectl" and "--" in words:
            words = words[words.index("--") + 1:]
        if words[0] == "imagesweep":
            yield words[1:]


@pytest.mark.parametrize("words", found(own_commands))
def test_a_command_of_the_program_has_that_subcommand_and_those_flags(words, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(agent.policy())
    document = tmp_path / "document.json"
    document.write_text('{"apiVersion": "imagesweep/v1alpha1", "kind": "LayerAnalysis", "totals": {"images": 1}}')
    stand_ins = {"FILE": str(policy), "IMAGE": "nginx", "NAME": "nginx", "RUN": "0", "BEFORE": str(document),
                 "AFTER": str(document)}
    # Never a real runtime; two sockets stay two.
    words = [re.sub(r"unix:///run/(?:\S*/)?(\S+)", rf"unix://{tmp_path}/none-\1", word) for word in words]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nowhere = {"KUBECONFIG": str(tmp_path / "none"), "IMAGESWEEP_STATE_DIR": str(tmp_path / "state"),
               "NODE_NAME": "none", "IMAGESWEEP_RUNTIME_ENDPOINT": f"{tmp_path}/none.sock",
               "IMAGESWEEP_LISTEN_ADDRESS": f"127.0.0.1:{port}"}
    result = subprocess.run([agent.program(), *(stand_ins.get(word, word) for word in words)], text=True, timeout=30,
                            capture_output=True, stdin=subprocess.DEVNULL, env={**agent.environment(), **nowhere})
    # There is no node here, which gives exit code 1. Wrong usage gives 2.
    assert result.returncode in (0, 1), result.stderr
    assert result.returncode == 0 or re.search("none|no run|cannot reach the agent", result.stderr), result.stderr


def flags_of(subcommand):
    return set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", helm(subcommand, "--help").stdout))


def as_template(words):
    """The words of `helm install` or `upgrade` as those of `helm template`, without the flags that it does not have."""
    known, kept = flags_of("template"), []
    for word in words:
        word = {"FILE": str(CI["default"]), "values.yaml": str(CI["default"])}.get(word, word)
        word = str(CHART) if word == "helm/imagesweep" else word.replace("sha256:…", "sha256:" + "a" * 64)
        if not word.startswith("-") or word.split("=")[0] in known:
            kept.append(word)
    return kept


@pytest.mark.parametrize("words", found(commands("helm")))
def test_a_helm_command_is_one_and_the_chart_takes_its_values(words):
    subcommand, arguments = words[1], words[2:]
    known = flags_of(subcommand)
    for word in arguments:
        assert not word.startswith("-") or word.split("=")[0] in known, f"helm {subcommand} has no {word}"
    only_mentioned = not arguments or any(word.endswith(".…") for word in arguments)
    if subcommand in ("install", "upgrade") and not only_mentioned:
        assert (ROOT / arguments[1]).resolve() == CHART
        policies_of(filter(None, yaml.safe_load_all(helm("template", *as_template(arguments)).stdout)))


def upgrades(page):
    return [words for words in commands("helm")(page) if words[1] == "upgrade" and "helm/imagesweep" in words]


@pytest.mark.parametrize("words", found(upgrades))
def test_an_upgrade_keeps_the_values_of_the_release(words):
    assert {"--reset-then-reuse-values", "-f"} & set(words), "Helm restores the values of the chart: dry run"


def test_no_upgrade_keeps_the_defaults_of_an_older_chart():
    flag = "--reuse" + "-values"
    assert flag in flags_of("upgrade")
    files = [*PAGES, *CHART.rglob("*"), *(ROOT / "scripts").iterdir(), *(ROOT / "tests").rglob("*.py")]
    assert not [path for path in files if path.is_file() and flag in path.read_text()], "--reset-then-reuse-values"


def settings(page):
    """`--set name=value` and `name=value` of the chart, in text and tables."""
    for span in page.spans:
        span = span.removeprefix("--set ")
        if re.match(r"[a-z]\w*\.[\w.]+=\S+$", span) and span.split(".")[0] in VALUES:
            yield span


@pytest.mark.parametrize("setting", found(settings))
def test_sets_a_value_as_documented(setting):
    arguments = as_template(["x", "helm/imagesweep", "--set", setting])
    if setting == "policy.create=false":
        arguments += ["--set", "policy.existingConfigMap=mine"]
    policies_of(filter(None, yaml.safe_load_all(helm("template", *arguments).stdout)))


def page_tables(name, column):
    return [table for table in page_named(name).tables() if column in table[0]]


POLICY_FIELDS = {row["Field"].strip("`") for table in page_tables("docs/reference/policy.md", "Field") for row in table}


def names_of_fields(page):
    known = {name.split(".")[0] for name in (*POLICY_FIELDS, *VALUES)}
    for span in page.spans:
        if re.fullmatch(r"[a-z]\w+(\.[a-z]\w+)+", span) and span.split(".")[0] in known \
                and not span.endswith((".yaml", ".json")):
            yield span


@pytest.mark.parametrize("name", found(names_of_fields))
def test_a_field_that_is_named_is_one_of_the_policy_or_the_chart(name):
    if name in POLICY_FIELDS or name.removeprefix("policy.config.") in POLICY_FIELDS:
        return
    value = VALUES
    for part in name.split("."):
        assert isinstance(value, dict) and part in value, f"neither the policy nor values.yaml has {name}"
        value = value[part]


@pytest.mark.parametrize("words", found(commands("kubectl")))
def test_finds_each_object_that_a_kubectl_command_names(words):
    for flag, value in zip(words, words[1:]):
        if flag in ("-f", "-k"):
            assert (ROOT / value / ("" if flag == "-f" else "kustomization.yaml")).is_file(), value
        if flag == "-n":
            assert value == ("default" if "events" in words else NAMESPACE)  # those about Nodes are included
    for word in words:
        if word.startswith("--from-literal=policy.yaml="):
            validate(word.removeprefix("--from-literal=policy.yaml="))
        if word.startswith("daemonset/"):
            assert word == f"daemonset/{one(render(), 'DaemonSet')['metadata']['name']}"


@pytest.mark.parametrize("words", found(commands("make")))
def test_a_make_target_exists(words):
    targets = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert words[1] in targets


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in page.links:
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), link
        assert not anchor or anchor in Page(path).anchors, link


def test_the_index_has_every_page():
    linked = {link.partition("#")[0] for link in page_named("docs/README.md").links}
    pages = {str(path.relative_to(ROOT / "docs")) for path in PAGES if path.is_relative_to(ROOT / "docs")}
    assert {name for name in pages if not name.startswith("decisions/")} - {"README.md"} <= linked


TESTS = "".join(path.read_text() for pattern in ("*.cpp", "*.h", "*.py") for path in (ROOT / "tests").rglob(pattern))


def proofs(page):
    """The proofs that docs/safety.md names: a test (Subject.Name), all tests of a subject, a file, or a Python
    function."""
    text = re.sub(r"\s+", " ", page.path.read_text()) if page.name == "docs/safety.md" else ""
    for line in re.findall(r"- Proof: (.*?) - Open:", text):
        yield from re.findall(r"`([\w.]+)`", line)


@pytest.mark.parametrize("proof", found(proofs))
def test_a_proof_that_is_named_is_a_test(proof):
    if proof.endswith(".py"):
        assert list((ROOT / "tests").rglob(proof))
    elif proof.startswith("test_"):
        assert f"def {proof}(" in TESTS
    else:
        subject, _, name = proof.partition(".")
        assert re.search(rf"TEST(_[FP])?\(\s*{subject},\s*{name or '[A-Z]'}", TESTS), proof


def test_each_rule_of_safety_has_a_proof_and_says_what_is_open():
    text = page_named("docs/safety.md").path.read_text()
    rules = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert len(rules) == 10
    for number, rule in enumerate(rules, 1):
        assert rule.startswith(f"{number}. ") and all(f"- {part}:" in rule for part in ("Rests on", "Proof", "Open")), rule


def test_the_events_are_the_program_s():
    source = (ROOT / "agent/telemetry/events.cpp").read_text()
    for constant, reason in re.findall(r'constexpr const char\* (k\w+) = ("\w+");', source):
        source = re.sub(rf"\b{constant}\b", reason, source)
    told = {("Warning" if warning == "true" else "Normal", reason) for warning, reason in
            re.findall(r'\{(true|false),\s*"([A-Z]\w+)",\s*"[A-Z]\w+"', source)}
    rows = {(row["Type"], row["Reason"].strip("`")) for table in page_tables("docs/events.md", "Reason") for row in table}
    assert len(told) == 8 and rows == told


def test_each_alert_has_its_runbook():
    rules = one(render(files=[CI["monitoring"]]), "PrometheusRule")["spec"]["groups"][0]["rules"]
    alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
    runbooks = page_named("docs/runbooks.md")
    assert set(alerts) == {heading for heading in runbooks.headings if heading.startswith("Imagesweep")}
    for alert, rule in alerts.items():
        assert all(part in runbooks.section(alert) for part in ("**Cause.**", "**Check.**", "**Fix.**")), alert
        if url := rule["annotations"].get("runbook_url"):
            path, _, anchor = url.partition("#")
            assert path.endswith("docs/runbooks.md") and anchor in runbooks.anchors, url


def quoted(page):
    """The quoted output of the program: blocks of `text`, and table cells below "It says"."""
    for language, text in page.blocks:
        if language == "text":
            yield from text.splitlines()
    for table in page.tables():
        for row in table:
            for column in ("It says", "They say"):
                if column in row:
                    yield row[column].strip("`")


COMPLAINTS = re.compile("Invalid value|strict decoding error")


@pytest.mark.parametrize("message", [item for item in found(quoted) if not COMPLAINTS.search(item.values[0])])
def test_a_quoted_message_is_in_the_sources(message):
    assert is_printed(message)


def test_prints_the_documented_errors_of_a_policy():
    wrong = "apiVersion: imagesweep/v1alpha1\nkind: SweepPolicy\nkeep: {imagse: []}\nrules:\n" \
            "- {name: a, keepLast: -1}\ndiskUsage: {highThresholdPercent: 60, lowThresholdPercent: 65}\n"
    printed = agent.run("policy", "validate", "-f", "-", input=wrong, code=2).stderr.splitlines()
    lines = [line for page in ALL for line in quoted(page) if COMPLAINTS.search(line)]
    assert len(lines) == 3 and set(lines) <= set(printed)


def test_log_lines_verdicts_and_metrics_that_are_named_exist():
    texts = set(literals())
    for page in FOR_PEOPLE:
        for span in page.spans:
            if re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+", span):
                assert span in texts, f"{page.name}: {span}"
        for metric in re.findall(r"\bimagesweep_[a-z]\w*", page.path.read_text()):
            assert metric in texts, f"{page.name}: {metric}"
    codes = {row["Code"].strip("`") for table in page_tables("docs/troubleshooting.md", "Code") for row in table}
    assert codes and codes <= texts


def test_the_metrics_reference_is_that_of_the_agent():
    made = subprocess.run([ROOT / "scripts/metrics-reference"], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert (ROOT / "docs/reference/metrics.md").read_text() == made, "run: make docs"


def test_the_schema_of_the_policy_is_what_the_program_prints():
    assert (ROOT / "docs/reference/policy.schema.json").read_text() == agent.run("policy", "schema").stdout, "run: make docs"


def test_the_rights_are_the_chart_s():
    agents, index = ({(resource, verb) for row in table for resource in re.findall(r"`([\w/]+)`", row["Resource"])
                      for verb in re.findall(r"`(\w+)`", row["Verb"])} for table in page_tables("docs/security.md", "Verb"))

    def granted(component, modes=("off", "direct", "index")):
        pods_alone = {"policy": {"config": {"keep": {"workloads": {"enabled": False}}}}}
        return {(resource, verb) for mode in modes for item in render({"workloads": {"mode": mode}, **pods_alone})
                if item["kind"] in ("ClusterRole", "Role")
                and item["metadata"]["labels"]["app.kubernetes.io/component"] == component
                for rule in item["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert agents == granted("agent") and index == granted("index")
    reads_only = {verb for _, verb in granted("agent", ["off"])} <= {"get", "list", "watch"}
    assert reads_only == ("but for events" not in page_named("docs/security.md").path.read_text())


def test_the_runtimes_are_the_chart_s():
    helpers = (CHART / "templates/_helpers.tpl").read_text()
    line = re.compile(r"^([\w-]+): \{socketDir: \S+, endpoint: unix://(\S+), images: (\S+)\}$", re.MULTILINE)
    presets = {name: (path, images) for name, path, images in line.findall(helpers)}
    rows = {row["`runtime.name`"].strip("`"): (row["Socket on the node"].strip("`"), row["Images"].strip("`"))
            for table in page_tables("docs/compatibility.md", "Images") for row in table}
    assert presets and rows == presets


def test_the_versions_are_those_that_the_tests_build():
    text = page_named("docs/compatibility.md").path.read_text()
    for version in (*gobuild.KUBERNETES.values(), *gobuild.CONTAINERD.values(), *gobuild.HELM.values()):
        assert re.search(rf"\| {re.escape(version.removeprefix('v'))}( \||, )", text), version
    debian = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "containerd"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    assert f"| {re.match(r'[0-9.]+', debian)[0]} (" in text
