"""The objects that the chart makes of values."""
import json
import re
import shutil
import subprocess

import pytest
import yaml

from lab import agent
from lab.cell import wait_until
from lab.chart import CHART, CI, ROOT, helm, one, policy_configmap, render, template

pytestmark = pytest.mark.usefixtures("each_helm")
AGENT_KINDS = ["ServiceAccount", "ConfigMap", "ClusterRole", "ClusterRoleBinding", "Role", "Role",
               "RoleBinding", "RoleBinding", "DaemonSet"]
INDEX_KINDS = ["ServiceAccount", *["ConfigMap"] * 9, "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Deployment"]
# Nothing reads workloads, and the policy says so.
PODS_ALONE = {"workloads": {"mode": "off"}, "policy": {"config": {"keep": {"workloads": {"enabled": False}}}}}


def reading(mode):
    """Values that read workloads in this mode."""
    return PODS_ALONE if mode == "off" else {"workloads": {"mode": mode}}


def daemonset(*arguments, **options):
    return one(render(*arguments, **options), "DaemonSet")["spec"]["template"]["spec"]


def policy_role(objects):
    """The role in the release's namespace that is not for the index. Another one, for events, is in "default"."""
    return one([item for item in objects if item["metadata"].get("namespace") != "default"
                and not item["metadata"]["name"].endswith("-index")], "Role")


def environment(pod):
    return {variable["name"]: variable.get("value") for variable in pod["containers"][0]["env"]}


def mounts(pod):
    """volume -> (path on the node, path in the container)"""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    return {mount["name"]: (volumes[mount["name"]].get("hostPath", {}).get("path"), mount["mountPath"])
            for mount in pod["containers"][0]["volumeMounts"]}


@pytest.mark.parametrize("name", CI)
def test_lint_has_no_complaint(name):
    result = helm("lint", "--strict", CHART, "--values", CI[name], check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("values, named", [
    ({"polcy": {}}, "polcy"),
    ({"policy": {"conifg": {}}}, "conifg"),
    ({"enabled": "no"}, "enabled"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"image": {"digest": "latest"}}, "digest"),
    ({"runtime": {"name": "docker"}}, "name"),
    ({"runtime": {"hostSocketDir": "run"}}, "hostSocketDir"),
    ({"metrics": {"port": 0}}, "port"),
    ({"log": {"level": "trace"}}, "level"),
    ({"podMonitor": {"enabled": "yes"}}, "enabled"),
    ({"persistence": {"path": "/var/lib/imagesweep"}}, "path"),
    ({"workloads": {"mode": "on"}}, "mode"),
    ({"workloads": {"index": {"replicas": 0}}}, "replicas"),
    ({"workloads": {"index": {"shards": 0}}}, "shards"),
    ({"policy": {"config": {"apiVersion": "imagesweep/v1"}}}, "apiVersion"),
])
def test_the_schema_names_a_wrong_value(values, named):
    result = template(values, check=False)
    assert result.returncode == 1 and "don't meet the specifications of the schema" in result.stderr
    assert named in result.stderr


@pytest.mark.parametrize("enabled", [True, False])
def test_a_parent_chart_can_switch_it_by_a_condition(tmp_path, enabled):
    parent = tmp_path / "platform"
    shutil.copytree(CHART, parent / "charts/imagesweep")
    (parent / "Chart.yaml").write_text(
        "apiVersion: v2\nname: platform\nversion: 0.1.0\n"
        "dependencies:\n- {name: imagesweep, version: '*', condition: imagesweep.enabled}\n")
    (parent / "values.yaml").write_text(f"imagesweep: {{enabled: {str(enabled).lower()}}}\n")
    result = helm("template", "p", parent, check=False)
    assert result.returncode == 0, result.stderr
    assert ("kind: DaemonSet" in result.stdout) is enabled


@pytest.mark.parametrize("name", CI)
def test_a_chart_that_is_not_enabled_has_no_objects(name):
    assert render({"enabled": False}, files=[CI[name]]) == []


def test_a_chart_that_is_not_enabled_needs_no_other_value():
    assert render({"enabled": False, "policy": {"create": False}, "workloads": {"mode": "off"}}) == []


def test_values_of_a_release_that_do_not_have_enabled_yet_remove_nothing(tmp_path):
    copy = shutil.copytree(CHART, tmp_path / "imagesweep")
    values = yaml.safe_load((copy / "values.yaml").read_text())
    del values["enabled"]
    (copy / "values.yaml").write_text(yaml.safe_dump(values))
    assert render(chart=copy) == render()


def test_the_schema_needs_no_network_and_every_value_is_in_it_and_explained():
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert "$ref" not in json.dumps(schema)

    def check(schema, values, path):
        for key, value in values.items():
            assert key in schema["properties"], f"{path}{key} is not in the schema"
            if "properties" in schema["properties"][key]:
                assert schema["properties"][key]["additionalProperties"] is False
                check(schema["properties"][key], value, f"{path}{key}.")
    check(schema, yaml.safe_load((CHART / "values.yaml").read_text()), "")
    rows = [line for line in (CHART / "README.md").read_text().splitlines() if re.match(r"\| [a-z]\w+[\w.]* \|", line)]
    assert len(rows) > 70
    assert not [row for row in rows if row.endswith("|  |")], "values without a comment"


def test_defaults_make_the_least_that_works():
    objects = render(arguments=["--skip-tests"])
    assert sorted(item["kind"] for item in objects) == sorted(AGENT_KINDS + INDEX_KINDS)
    policy = yaml.safe_load(policy_configmap(objects)["data"]["policy.yaml"])
    assert policy == {"apiVersion": "imagesweep/v1alpha1", "kind": "SweepPolicy", "dryRun": True}
    alone = render(PODS_ALONE, arguments=["--skip-tests"])
    assert [item["kind"] for item in alone] == AGENT_KINDS


def test_permissions_are_the_ones_the_agent_uses():
    objects = render(PODS_ALONE)
    rules = {(item["metadata"].get("namespace"), resource, tuple(rule.get("resourceNames", ()))): rule["verbs"]
             for item in objects if item["kind"] in ("ClusterRole", "Role") for rule in item["rules"]
             for resource in rule["resources"]}
    assert rules == {(None, "pods", ()): ["get", "list", "watch"], (None, "nodes", ()): ["get"],
                     ("default", "events", ()): ["create", "patch"],
                     ("imagesweep-system", "configmaps", ("imagesweep-policy", "imagesweep-policy-override")):
                         ["get", "list", "watch"]}
    account = one(objects, "ServiceAccount")["metadata"]
    bindings = [item for item in objects if item["kind"] in ("ClusterRoleBinding", "RoleBinding")]
    assert len(bindings) == 3
    for binding in bindings:
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["name"],
                                        "namespace": account["namespace"]}]
        assert binding["roleRef"]["name"] in [item["metadata"]["name"] for item in objects
                                              if item["kind"] == binding["roleRef"]["kind"]]


APPS = ["deployments", "statefulsets", "daemonsets", "replicasets", "controllerrevisions"]
WORKLOADS = [{"apiGroups": ["apps"], "resources": APPS, "verbs": ["list", "watch"]},
             {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list", "watch"]}]


def rights(objects, account):
    """{(namespace or None, API group, resource, names): verbs} of a ServiceAccount, over all its bindings."""
    roles = {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]): item["rules"]
             for item in objects if item["kind"] in ("ClusterRole", "Role")}
    found = {}
    for binding in objects:
        if binding["kind"] not in ("ClusterRoleBinding", "RoleBinding") \
                or [subject["name"] for subject in binding["subjects"]] != [account]:
            continue
        namespace = binding["metadata"].get("namespace")
        for rule in roles[binding["roleRef"]["kind"], namespace, binding["roleRef"]["name"]]:
            for resource in rule["resources"]:
                key = namespace, rule["apiGroups"][0], resource, tuple(rule.get("resourceNames", ()))
                assert key not in found
                found[key] = rule["verbs"]
    return found


LEAST = {(None, "", "pods", ()): ["get", "list", "watch"], (None, "", "nodes", ()): ["get"],
         ("default", "events.k8s.io", "events", ()): ["create", "patch"],
         ("imagesweep-system", "", "configmaps", ("imagesweep-policy", "imagesweep-policy-override")):
             ["get", "list", "watch"]}
READS = {(None, rule["apiGroups"][0], resource, ()): rule["verbs"] for rule in WORKLOADS for resource in rule["resources"]}


INDEX_CONFIGMAPS = ("imagesweep-workloads", *(f"imagesweep-workloads-{slot}-{number}" for slot in "ab" for number in range(4)))


@pytest.mark.parametrize("mode, agents", [
    ("off", LEAST),
    ("direct", {**LEAST, **READS}),
    ("index", {**LEAST, ("imagesweep-system", "", "configmaps", ()): ["get", "list", "watch"]}),
])
def test_who_may_read_workloads(mode, agents):
    objects = render(reading(mode))
    assert rights(objects, "imagesweep") == agents
    assert rights(objects, "imagesweep-index") == ({} if mode != "index" else {
        **READS, ("imagesweep-system", "", "configmaps", ()): ["get", "list", "watch"],
        ("imagesweep-system", "", "configmaps", INDEX_CONFIGMAPS): ["update"],
        ("imagesweep-system", "coordination.k8s.io", "leases", ("imagesweep-workloads",)): ["get", "update"],
        ("imagesweep-system", "coordination.k8s.io", "leases", ()): ["create"]})
    variables = environment(one(objects, "DaemonSet")["spec"]["template"]["spec"])
    assert variables["IMAGESWEEP_WORKLOADS"] == mode
    assert variables.get("IMAGESWEEP_INDEX_NAME") == ("imagesweep-workloads" if mode == "index" else None)
    assert ("Deployment" in [item["kind"] for item in objects]) == (mode == "index")
    without = render({**reading(mode), "rbac": {"create": False}})
    assert not [item for item in without if "Role" in item["kind"]]


def configmaps(objects):
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == "ConfigMap"}


@pytest.mark.parametrize("values", [{}, {"policy": {"create": False, "existingConfigMap": "ours"}},
                                    {"policy": {"allowOverride": True}}], ids=["default", "existing", "override"])
def test_the_index_cannot_write_the_policy(values):
    objects = render({"workloads": {"mode": "index"}, **values})
    written = {name for (_, _, resource, names), verbs in rights(objects, "imagesweep-index").items()
               for name in (names or ["any"]) if resource == "configmaps" and not {"get", "list", "watch"} >= set(verbs)}
    assert written == set(INDEX_CONFIGMAPS)
    agent = environment(one(objects, "DaemonSet")["spec"]["template"]["spec"])
    assert agent["IMAGESWEEP_POLICY_CONFIGMAP"].split("/")[-1] not in written


def test_creates_the_configmaps_that_the_index_may_update():
    objects = render({"workloads": {"mode": "index", "index": {"shards": 12}}}, release="other")
    names = {name for name, item in configmaps(objects).items()
             if item["metadata"]["labels"].get("imagesweep/workload-index") == "other-imagesweep-workloads"}
    granted = [names for (_, _, resource, names) in rights(objects, "other-imagesweep-index")
               if resource == "configmaps" and names]
    assert names == set(*granted) and len(names) == 25
    for name in names:  # an upgrade that set them would undo the writes of the index
        assert not {"data", "binaryData", "immutable"} & set(configmaps(objects)[name])
    assert not [name for name in configmaps(render(PODS_ALONE)) if "workloads" in name]


def test_an_unquoted_off_is_off_and_the_index_is_the_default():
    assert render({**PODS_ALONE, "workloads": {"mode": False}}) == render(PODS_ALONE)
    assert render({"workloads": {"mode": "index"}}) == render()


def test_the_index_is_a_deployment_that_touches_no_node():
    objects = render({"workloads": {"mode": "index"}, "commonLabels": {"team": "platform"}}, release="other")
    deployment, account = one(objects, "Deployment"), [item for item in objects if item["kind"] == "ServiceAccount"]
    pod = deployment["spec"]["template"]["spec"]
    name = deployment["metadata"]["name"]
    assert name == "other-imagesweep-index" and pod["serviceAccountName"] == name
    assert name in [item["metadata"]["name"] for item in account]
    assert deployment["spec"]["replicas"] == 2 and "volumes" not in pod
    container = pod["containers"][0]
    assert container["args"][:2] == ["index", "--index-name=other-imagesweep-workloads"]
    assert [(variable["name"], variable["valueFrom"]["fieldRef"]["fieldPath"]) for variable in container["env"]] == [
        ("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace")]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["limits"]["memory"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http-metrics"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http-metrics"}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert selector.items() <= labels.items() and labels["team"] == "platform"
    term = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]
    assert term == {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": selector}}
    agents = one(objects, "DaemonSet")["spec"]["selector"]["matchLabels"]
    assert not agents.items() <= labels.items(), "the agents' selector would take the index for an agent"
    own = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    given = render({"workloads": {"mode": "index", "index": {"affinity": own, "replicas": 1}}})
    assert one(given, "Deployment")["spec"]["template"]["spec"]["affinity"] == own


def test_requires_a_workload_mode_when_the_policy_keeps_workloads():
    written = {"config": {"keep": {"workloads": {"enabled": True}}}}
    unwritten = {"config": {"keep": {"lastPerRepository": 1}}}
    for policy in (written, unwritten, {}):
        result = template({"policy": policy, "workloads": {"mode": "off"}}, check=False)
        assert result.returncode == 1 and "workloads.mode is off: every run would abort" in result.stderr
        for mode in ("direct", "index"):
            render({"policy": policy, "workloads": {"mode": mode}})
    for mode in ("off", "direct", "index"):
        render({**PODS_ALONE, "workloads": {"mode": mode}})


def test_without_events_the_agent_may_write_nothing():
    objects = render({**PODS_ALONE, "events": {"enabled": False}})
    verbs = {verb for item in objects if item["kind"] in ("ClusterRole", "Role") for rule in item["rules"]
             for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    assert environment(daemonset({"events": {"enabled": False}}))["IMAGESWEEP_EVENTS"] == "false"


def test_accepts_another_key_for_the_policy():
    assert "IMAGESWEEP_POLICY_KEY" not in environment(daemonset())
    objects = render({"policy": {"key": "sweep.yaml"}})
    assert list(policy_configmap(objects)["data"]) == ["sweep.yaml"]
    assert environment(daemonset({"policy": {"key": "sweep.yaml"}}))["IMAGESWEEP_POLICY_KEY"] == "sweep.yaml"


def test_restricts_the_pod_as_far_as_the_socket_allows():
    pod = daemonset()
    context = pod["containers"][0]["securityContext"]
    assert context == {"runAsUser": 0, "runAsGroup": 0, "allowPrivilegeEscalation": False,
                       "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
    assert not any("hostPort" in port for port in pod["containers"][0]["ports"])
    for mount in pod["containers"][0]["volumeMounts"]:
        assert "subPath" not in mount
        if mount["name"] != "state":
            assert mount["readOnly"] and mount["mountPropagation"] == "HostToContainer", mount
    types = {volume["name"]: volume["hostPath"]["type"] for volume in pod["volumes"]}
    assert types == {"sockets": "Directory", "images": "Directory", "state": "DirectoryOrCreate"}


def test_it_runs_everywhere_and_survives_disk_pressure():
    pod = daemonset()
    assert pod["tolerations"] == [{"operator": "Exists"}] and pod["priorityClassName"] == "system-node-critical"
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert {"key": "imagesweep/exclude", "operator": "NotIn", "values": ["true"]} in terms[0]["matchExpressions"]


# One table gives the mount and the endpoint. They must fit together.
@pytest.mark.parametrize("values, directory, endpoint, images", [
    ({}, "/run", None, "/var/lib"),
    ({"name": "containerd"}, "/run/containerd", "/run/containerd/containerd.sock", "/var/lib/containerd"),
    ({"name": "k3s"}, "/run/k3s/containerd", "/run/k3s/containerd/containerd.sock",
     "/var/lib/rancher/k3s/agent/containerd"),
    ({"name": "rke2"}, "/run/k3s/containerd", "/run/k3s/containerd/containerd.sock",
     "/var/lib/rancher/rke2/agent/containerd"),
    ({"name": "k0s"}, "/run/k0s", "/run/k0s/containerd.sock", "/var/lib/k0s/containerd"),
    ({"name": "microk8s"}, "/var/snap/microk8s/common/run", "/var/snap/microk8s/common/run/containerd.sock",
     "/var/snap/microk8s/common/var/lib/containerd"),
    ({"name": "cri-o"}, "/run", "/run/crio/crio.sock", "/var/lib/containers/storage"),
    ({"name": "cri-dockerd"}, "/run", "/run/docker.sock", "/var/lib/docker"),
    ({"name": "k3s", "hostSocketDir": "/run"}, "/run", "/run/k3s/containerd/containerd.sock",
     "/var/lib/rancher/k3s/agent/containerd"),
    ({"name": "containerd", "hostSocketDir": "/srv/run/"}, "/srv/run", "/srv/run/containerd.sock",
     "/var/lib/containerd"),
    ({"endpoint": "unix:///run/other.sock"}, "/run", "/run/other.sock", "/var/lib"),
    ({"endpoint": "/srv/run/a.sock", "hostSocketDir": "/srv/run", "imageFilesystemPath": "/srv/images"}, "/srv/run",
     "/srv/run/a.sock", "/srv/images"),
])
def test_mount_and_endpoint_of_a_runtime_belong_together(values, directory, endpoint, images):
    pod = daemonset({"runtime": values})
    assert mounts(pod)["sockets"] == (directory, f"/host{directory}")
    assert mounts(pod)["images"] == (images, images)
    variables = environment(pod)
    assert variables.get("IMAGESWEEP_RUNTIME_ENDPOINT") == (endpoint and f"unix:///host{endpoint}")
    assert variables.get("IMAGESWEEP_HOST_PREFIX") == (None if endpoint else "/host")


def test_an_endpoint_outside_the_mount_is_refused():
    result = template({"runtime": {"endpoint": "/srv/a.sock"}}, check=False)
    assert result.returncode == 1 and "not below runtime.hostSocketDir /run" in result.stderr


@pytest.mark.parametrize("values, image", [
    ({}, "localhost/imagesweep:0.1.0"),
    ({"tag": "2.0"}, "localhost/imagesweep:2.0"),
    ({"repository": "r.example/i", "tag": "2.0", "digest": "sha256:" + "a" * 64}, "r.example/i@sha256:" + "a" * 64),
])
def test_prefers_a_digest_to_a_tag_to_the_version(values, image):
    objects = render({"image": values})
    assert one(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]["image"] == image
    assert one(objects, "Pod")["spec"]["containers"][0]["image"] == image


def test_gives_the_test_pod_the_access_of_the_agent():
    objects = render({"runtime": {"name": "k3s"}, "extraEnv": [{"name": "A", "value": "b"}]})
    ours, theirs = one(objects, "Pod")["spec"], one(objects, "DaemonSet")["spec"]["template"]["spec"]
    assert environment(ours) == environment(theirs) and mounts(ours).keys() == mounts(theirs).keys()
    assert one(objects, "Pod")["metadata"]["labels"]["app.kubernetes.io/component"] == "test"


def test_without_persistence_nothing_is_written_to_the_node():
    volumes = daemonset({"persistence": {"enabled": False}})["volumes"]
    assert {"name": "state", "emptyDir": {}} in volumes


def test_the_kubelets_records_of_pulls_are_mounted_when_asked_for():
    assert "pull-records" not in mounts(daemonset())
    pod = daemonset({"kubeletPullRecords": {"enabled": True, "kubeletDir": "/data/kubelet"}})
    assert mounts(pod)["pull-records"] == ("/data/kubelet/image_manager/pulled", "/host/kubelet/image_manager/pulled")
    assert environment(pod)["IMAGESWEEP_KUBELET_DIR"] == "/host/kubelet"
    # Only the kubelet creates it. An empty one would look like a kubelet without records.
    assert {"name": "pull-records", "hostPath": {"path": "/data/kubelet/image_manager/pulled", "type": "Directory"}} in \
        pod["volumes"]
    assert next(mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "pull-records")["readOnly"]


def test_disables_the_override_when_set():
    name = "imagesweep-system/imagesweep-policy-override"
    assert environment(daemonset())["IMAGESWEEP_POLICY_OVERRIDE_CONFIGMAP"] == name
    objects = render({"policy": {"allowOverride": False}})
    pod = one(objects, "DaemonSet")["spec"]["template"]["spec"]
    assert "IMAGESWEEP_POLICY_OVERRIDE_CONFIGMAP" not in environment(pod)
    assert policy_role(objects)["rules"][0]["resourceNames"] == ["imagesweep-policy"]


def test_an_edit_of_the_policy_does_not_roll_the_pods():
    before, after = (daemonset({"policy": {"config": {"dryRun": dry}}}) for dry in (True, False))
    assert before == after


def test_uses_an_existing_policy_without_creating_one():
    objects = render(files=[CI["existing-policy"]])
    assert [item["metadata"]["name"] for item in objects if item["kind"] == "ConfigMap" and "data" in item] == ["my-policy"]
    assert policy_role(objects)["rules"][0]["resourceNames"] == ["my-policy", "imagesweep-policy-override"]
    pod = one(objects, "DaemonSet")["spec"]["template"]["spec"]
    assert environment(pod)["IMAGESWEEP_POLICY_CONFIGMAP"] == "imagesweep-system/my-policy"
    assert environment(pod)["IMAGESWEEP_POLICY_ORIGIN"] == "existing"
    result = template({"policy": {"create": False}}, check=False)
    assert result.returncode == 1 and "policy.existingConfigMap" in result.stderr


# Values pass through Helm's numbers and YAML, so the program must be able to read the result.
@pytest.mark.parametrize("config", [
    {},
    {"dryRun": False, "interval": "1h30m", "maximumAge": "7d"},
    {"limits": {"maxImages": 1000000, "maxBytes": "20Gi"}, "keep": {"lastPerRepository": 1234567}},
    {"keep": {"images": ["localhost/**", "*/shop/*", "sha256:" + "0" * 64], "tags": ["1.10", "prod-*", "yes"]}},
    {"rules": [{"name": "a", "selector": {"images": ["*/ci/*"], "tagStatus": "Tagged"}, "keepLast": 3,
                "action": "Remove"}]},
])
def test_the_program_accepts_the_policy_of_the_chart(config):
    text = policy_configmap(render({"policy": {"config": config}}))["data"]["policy.yaml"]
    agent.run("policy", "validate", "-f", "-", input=text)


@pytest.mark.parametrize("name", CI)
def test_the_program_accepts_every_policy_there_is(name):
    texts = [item["data"]["policy.yaml"] for item in render(files=[CI[name]])
             if item["kind"] == "ConfigMap" and "policy.yaml" in item.get("data", {})]
    assert texts
    for text in texts:
        agent.run("policy", "validate", "-f", "-", input=text)


def test_commands_in_the_container_find_the_agent_on_another_port():
    assert "IMAGESWEEP_LISTEN_ADDRESS" not in environment(daemonset())  # both use the default port
    pod = daemonset({"metrics": {"port": 18080}})
    assert environment(pod)["IMAGESWEEP_LISTEN_ADDRESS"] == ":18080"
    assert "--listen-address=:18080" in pod["containers"][0]["args"]


@pytest.mark.parametrize("mode", ["off", "direct", "index"])
def test_passes_only_flags_that_the_program_has(mode):
    """With each argument and variable of the pod, the program only fails because its environment is missing."""
    pod = daemonset({"runtime": {"name": "containerd"}, **reading(mode)})
    container = pod["containers"][0]
    given = environment(pod)
    result = subprocess.run([agent.program(), *container["args"][1:], "version"], text=True, capture_output=True)
    assert result.returncode == 2 and "--listen-address" in result.stderr  # it belongs to `agent`
    known = subprocess.run([agent.program(), "--help-all"], text=True, capture_output=True).stdout \
        + subprocess.run([agent.program(), "agent", "--help"], text=True, capture_output=True).stdout \
        + subprocess.run([agent.program(), "--help"], text=True, capture_output=True).stdout
    for argument in container["args"][1:]:
        assert argument.split("=")[0] in known
    for variable in given:
        assert variable.startswith("POD_") or f"Env:{variable})" in known, variable


def test_starts_the_index_until_it_misses_its_cluster():
    """With the arguments of the container, outside a cluster: no usage error."""
    container = one(render({"workloads": {"mode": "index"}}), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    known = {"POD_NAME": "index-0", "POD_NAMESPACE": "imagesweep-system"}
    assert known.keys() == environment({"containers": [container]}).keys()
    result = subprocess.run([agent.program(), *container["args"]], text=True, capture_output=True, timeout=30,
                            env={**agent.environment(), **known})
    assert result.returncode == 1 and "cannot reach Kubernetes" in result.stderr, result


def test_queries_only_metrics_that_the_program_has(tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(agent.policy())
    with agent.Agent("--without-kubernetes", f"--policy-file={policy}", f"--state-dir={tmp_path}",
                     f"--runtime-endpoint={tmp_path}/no.sock") as running:
        assert wait_until(lambda: running.fetch("/readyz")[0] == 503, 10)
        text = running.fetch("/metrics")[1]
    known = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    histograms = {f"{line.split()[2]}_bucket" for line in text.splitlines() if line.endswith(" histogram")}
    objects = render(files=[CI["monitoring"]])
    dashboard = (CHART / "dashboards/imagesweep.json").read_text()
    rules = [rule for rule in one(objects, "PrometheusRule")["spec"]["groups"][0]["rules"]]
    expressions = [rule["expr"] for rule in rules] + re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', dashboard)
    asked = {name for expression in expressions for name in re.findall(r"\b(?:imagesweep|process)_\w+", expression)}
    assert len(expressions) > 20 and asked <= known | histograms, asked - known - histograms


def test_monitoring_objects():
    objects = render(files=[CI["monitoring"]], release="other")
    selector = one(objects, "DaemonSet")["spec"]["selector"]["matchLabels"]
    port = one(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"]
    for kind, field in (("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
        monitor = one(objects, kind)["spec"]
        assert monitor["selector"]["matchLabels"] == selector
        endpoint = monitor[field][0]
        assert endpoint["port"] == port and endpoint["relabelings"][0]["targetLabel"] == "node"
    assert one(objects, "PodMonitor")["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert one(objects, "Service")["spec"]["clusterIP"] == "None"
    rules = one(objects, "PrometheusRule")["spec"]["groups"][0]["rules"]
    assert [rule.get("alert") for rule in rules] == [
        "ImagesweepPolicyInvalid", "ImagesweepRuntimeUnreachable", "ImagesweepRunsStale", "ImagesweepRemovalErrors",
        "ImagesweepNotReclaimingEnough", "ImagesweepDryRunStillOn", None]
    dashboard = next(item for item in objects if item["metadata"]["name"].endswith("-dashboard"))
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["imagesweep.json"])["panels"]
    assert one(objects, "NetworkPolicy")["spec"]["ingress"][0]["ports"] == [{"port": port, "protocol": "TCP"}]


def test_alerts_can_be_left_out():
    values = {"prometheusRule": {"enabled": True, "defaultRules": {"disabled": {"ImagesweepRunsStale": True}}}}
    alerts = [rule["alert"] for rule in one(render(values), "PrometheusRule")["spec"]["groups"][0]["rules"]]
    assert "ImagesweepRunsStale" not in alerts and "ImagesweepDryRunStillOn" not in alerts and len(alerts) == 4


def test_alerts_have_a_link_to_their_runbook_where_there_is_one():
    def links(**values):
        rules = one(render({"prometheusRule": {"enabled": True, **values}}), "PrometheusRule")["spec"]["groups"][0]["rules"]
        return {rule["alert"]: rule["annotations"].get("runbook_url") for rule in rules}
    assert set(links().values()) == {None}
    where = "https://git.example.com/platform/docs/runbooks.md"
    found = links(runbookURL=where)
    assert len(found) == 5 and all(link == f"{where}#{alert.lower()}" for alert, link in found.items())
    result = template({"prometheusRule": {"runbookURL": "docs/runbooks.md#x"}}, check=False)
    assert result.returncode == 1 and "runbookURL" in result.stderr


def test_the_dashboard_has_its_rows_and_is_tied_to_no_datasource_and_no_job():
    dashboard = json.loads((CHART / "dashboards/imagesweep.json").read_text())
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert rows == ["Fleet", "Node", "Evidence"]
    graphs = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in graphs:
        for target in panel["targets"]:
            assert panel["datasource"] == target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert 'node=~"$node"' in target["expr"] and not re.search(r"\bjob\s*=", target["expr"]), target["expr"]
    spots = [{(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
             for at in (panel["gridPos"] for panel in dashboard["panels"])]
    assert len(set().union(*spots)) == sum(map(len, spots)), "panels overlap"
    assert all(x < 24 for spot in spots for x, _ in spot)


def test_names_labels_and_namespaces_follow_their_values():
    objects = render({"namespaceOverride": "nodes", "fullnameOverride": "sweep", "commonLabels": {"team": "platform"},
                      "podMonitor": {"enabled": True, "namespace": "monitoring"}}, release="r")
    for item in objects:
        metadata = item["metadata"]
        assert metadata["labels"]["team"] == "platform"
        if item["kind"] == "PodMonitor":
            assert metadata["namespace"] == "monitoring" and item["spec"]["namespaceSelector"]["matchNames"] == ["nodes"]
        elif not item["kind"].startswith("Cluster"):
            events = metadata["name"] == "nodes-sweep-events"
            assert metadata["namespace"] == ("default" if events else "nodes")
            assert events or metadata["name"].startswith("sweep")
    names = {item["metadata"]["name"] for item in objects if item["kind"].startswith("Cluster")}
    assert names == {"nodes-sweep", "nodes-sweep-index"}, "releases of one name in two namespaces must not share a ClusterRole"


@pytest.mark.parametrize("values, says, does_not_say", [
    ({}, ["Dry run is on", "--set policy.config.dryRun=false", "pod-security.kubernetes.io/enforce=privileged"],
     ["Dry run is OFF", "release's label"]),
    ({"policy": {"config": {"dryRun": False}}},
     ["Dry run is OFF in the policy of this release: an agent with this policy removes images",
      "An agent rejects an invalid policy. The last valid policy then stays in force."],
     ["Dry run is on", "--set policy.config.dryRun=false"]),
    ({"policy": {"config": {"dryRun": False, "suspend": True}}}, ["suspend is true: an agent with this policy removes nothing"],
     ["removes images"]),
    ({"policy": {"create": False, "existingConfigMap": "mine", "key": "sweep.yaml", "config": {"dryRun": False}}},
     ["ConfigMap imagesweep-system/mine, key sweep.yaml."], ["Dry run is"]),
    ({"enabled": False}, ["enabled is false: this release creates no objects."], ["Dry run is", "kubectl"]),
    ({"podMonitor": {"enabled": True}}, ["podMonitorSelectorNilUsesHelmValues"], []),
    (PODS_ALONE, ["keep.workloads, for rollbacks"], ["Workloads are read", "every run aborts"]),
    ({**PODS_ALONE, "workloads": {"mode": "direct"}}, ["Workloads are read (workloads.mode direct), but"],
     ["for rollbacks"]),
    ({}, [], ["Workloads are read", "for rollbacks"]),
])
def test_notes(values, says, does_not_say, tmp_path):
    text = notes(values, tmp_path)
    for part in says:
        assert part in text
    for part in does_not_say:
        assert part not in text


def notes(values, directory, *arguments):
    # `helm install --dry-run=client` prints them, but still needs a cluster.
    copy = shutil.copytree(CHART, directory / "imagesweep")
    text = (copy / "templates/NOTES.txt").read_text()
    (copy / "templates/_notes.tpl").write_text('{{- define "notes" -}}' + text + "{{- end -}}")
    (copy / "templates/notes.yaml").write_text('kind: Notes\ntext: {{ include "notes" . | toJson }}\n')
    return one(render(values, arguments=arguments, chart=copy), "Notes")["text"]


@pytest.mark.parametrize("value", ["false", "true", 0, "no"])
def test_the_notes_say_that_a_dry_run_which_is_no_boolean_is_invalid(value, tmp_path):
    text = notes({"policy": {"config": {"dryRun": value}}}, tmp_path, "--skip-schema-validation")
    assert "The policy of this release is INVALID: policy.config.dryRun must be true or false" in text
    assert "Dry run is" not in text and "removes images" not in text


def test_the_notes_promise_nothing_of_a_policy_that_only_the_program_can_reject(tmp_path):
    config = {"dryRun": False, "keep": {"images": ["docker.io/*"]}}
    objects = render({"policy": {"config": config}})
    agent.run("policy", "validate", "-f", "-", input=policy_configmap(objects)["data"]["policy.yaml"], code=2)
    text = notes({"policy": {"config": config}}, tmp_path)
    assert "An agent rejects an invalid policy." in text
    assert all("an agent with this policy" in line for line in text.splitlines() if "removes images" in line)


def test_versions_agree():
    version = re.search(r"project\(imagesweep VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == version
