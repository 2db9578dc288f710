"""A real one-node Kubernetes without Docker or a virtual machine: every component is a plain process in one cell.

Inside the network namespace of the cell, the addresses and ports are fixed, so two clusters on one machine do not
collide. Commands that use the cluster also run there: `kubectl()`, `cell.enter()`.
"""
import json
import pathlib
import subprocess

from lab import gobuild
from lab.cell import Cell, wait_until
from lab.containerd import LATEST, Containerd
from lab.crio import CRIO, Crio

NODE, NODE_IP, SERVICES, PODS = "node1", "10.77.0.1", "10.96.0.0/16", "10.244.0.0/24"
SERVER = f"https://{NODE_IP}:6443"
OLDEST, DEFAULT, NEWEST = "1.30", gobuild.DEFAULT_KUBERNETES, "1.37"
# Images as volumes (KEP-4639) are unknown before 1.31, and enabled by default from 1.35 on. A component does not start with
# a gate that it does not know.
FEATURES = {"1.34": ["--feature-gates=ImageVolume=true"]}
ETCD = "http://127.0.0.1:2379"
# Settings that the kubelet writes for the whole machine (pkg/util/sysctl in kubernetes). In a cell it may write to
# copies only.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")


class Kubernetes:
    """Running and Ready when constructed. DIRECTORY is workdir/cluster. `kubeconfig` is that of the administrator. Its
    runtime is `containerd`: of CONTAINERD_VERSION, or CRI-O where that is CRIO. KUBELET is added to the kubelet's
    configuration."""

    def __init__(self, workdir, containerd_version, version=DEFAULT, kubelet=None):
        self._kubelet = kubelet or {}
        self.version, self._features = version, FEATURES.get(version, [])
        self._program = gobuild.kubernetes(version) / "kubernetes"
        self.directory = pathlib.Path(workdir.path) / "cluster"
        for part in ("pki", "static", "cni", "kubelet"):
            (self.directory / part).mkdir(parents=True)
        self._cgroup = workdir.cgroup
        self.cell = Cell(self.directory)
        try:
            self.kubeconfig = self._start(workdir, containerd_version)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.cell.close()

    def kubectl(self, *arguments, **options):
        return self.cell.run(self._program, "kubectl", "--kubeconfig", self.kubeconfig, *arguments, **options).stdout

    def apply(self, *objects):
        """Applies Python objects. Returns with kubectl, that is when the API server has them."""
        self.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def lasting_objects(self):
        """The names of all objects, except of those kinds that come and go by themselves."""
        kinds = self.kubectl("api-resources", "--verbs=list", "-o", "name").split()
        kinds = [kind for kind in kinds if not kind.startswith(("events", "leases.", "endpointslices", "componentst"))]
        return set(self.kubectl("get", ",".join(kinds), "-A", "--ignore-not-found", "-o", "name").split())

    @property
    def chart_values(self):
        """What the chart needs on this runtime. On CRI-O, only records of the kubelet prove a pull, and an agent cannot
        watch uses."""
        if self.containerd.version != CRIO:
            return {}
        return {"runtime": {"name": "cri-o"}, "extraEnv": [{"name": "IMAGESWEEP_COUNT_UNWATCHED", "value": "true"}],
                "kubeletPullRecords": {"enabled": True, "kubeletDir": str(self.containerd.kubelet_directory)}}

    @property
    def kubelet_directory(self):
        return self.directory / "kubelet"

    def start_api_server(self):
        pki = self.directory / "pki"
        self.cell.start("apiserver", [
            self._program, "kube-apiserver", "--etcd-servers", ETCD, "--service-cluster-ip-range", SERVICES,
            "--advertise-address", NODE_IP, "--secure-port", "6443", "--cert-dir", pki,
            "--client-ca-file", pki / "ca.crt", "--tls-cert-file", pki / "apiserver.crt",
            "--tls-private-key-file", pki / "apiserver.key", "--service-account-key-file", pki / "sa.pub",
            "--service-account-signing-key-file", pki / "sa.key",
            "--service-account-issuer", "https://kubernetes.default.svc", "--authorization-mode", "Node,RBAC",
            "--allow-privileged", "--kubelet-client-certificate", pki / "admin.crt",
            "--kubelet-client-key", pki / "admin.key", "--enable-admission-plugins", "NodeRestriction",
            "--kubelet-preferred-address-types", "InternalIP", *self._features])
        self._await("apiserver", self._api_server_ready, 90)

    def cgroup_memory(self, container):
        """Bytes of the cgroup of a container: {"usage": everything charged to it, "anon": its own memory}."""
        for root, usage, anon in ((pathlib.Path("/sys/fs/cgroup/memory"), "memory.usage_in_bytes", "rss"),
                                  (pathlib.Path("/sys/fs/cgroup"), "memory.current", "anon")):
            for group in (root / self._cgroup.lstrip("/")).glob(f"**/*{container}*"):
                stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
                return {"usage": int((group / usage).read_text()), "anon": int(stat[anon])}
        raise FileNotFoundError(f"no memory cgroup of container {container}")

    @property
    def mounts_images(self):
        """Whether pods can have images as volumes, which containerd can mount since 2.1."""
        return self.version != OLDEST and self.containerd.version == LATEST

    def restart_kubelet(self):
        """Returns when the kubelet has again reported the node as ready to the API server."""
        self.cell.stop("kubelet")
        before = self.get("node", NODE)["metadata"]["resourceVersion"]
        self._run_kubelet()
        self._await("kubelet", lambda: self.get("node", NODE)["metadata"]["resourceVersion"] != before
                    and self._node_ready(), 90)

    def stop_api_server(self):
        self.cell.stop("apiserver", seconds=3)

    def _start(self, workdir, containerd_version):
        self._make_network()
        self._make_sysctls()
        self._make_certificates()
        kubeconfig = self._write_kubeconfig("admin")
        self._write_kubeconfig("kubelet")
        self.cell.start("etcd", [
            "etcd", "--data-dir", self.directory / "etcd", "--listen-client-urls", ETCD,
            "--advertise-client-urls", ETCD, "--listen-peer-urls", "http://127.0.0.1:2380", "--unsafe-no-fsync"])
        self.containerd = Crio(workdir, cell=self.cell, cni=self._write_cni()) if containerd_version == CRIO else \
            Containerd(workdir, containerd_version, cell=self.cell, cni=self._write_cni())
        self.containerd.load_pause()
        self.kubeconfig = kubeconfig
        self.start_api_server()
        self._start_controllers()
        self._start_kubelet()
        self._await("kubelet", self._node_ready, 90)
        self._await("controller-manager", self._default_account, 60)
        return kubeconfig

    def _start_controllers(self):
        pki, kubeconfig = self.directory / "pki", self.kubeconfig
        self.cell.start("controller-manager", [
            self._program, "kube-controller-manager", "--kubeconfig", kubeconfig, "--leader-elect=false",
            "--service-account-private-key-file", pki / "sa.key", "--root-ca-file", pki / "ca.crt",
            "--cluster-signing-cert-file", pki / "ca.crt", "--cluster-signing-key-file", pki / "ca.key",
            "--use-service-account-credentials", "--cert-dir", pki])
        self.cell.start("scheduler", [
            self._program, "kube-scheduler", "--kubeconfig", kubeconfig, "--leader-elect=false", "--cert-dir", pki])
        self.cell.start("proxy", [
            self._program, "kube-proxy", "--kubeconfig", kubeconfig, "--hostname-override", NODE,
            "--proxy-mode", "iptables", "--conntrack-max-per-core", "0",
            "--conntrack-tcp-timeout-established", "0", "--conntrack-tcp-timeout-close-wait", "0"])

    def _start_kubelet(self):
        config = self.directory / "kubelet.yaml"
        config.write_text(json.dumps({  # JSON is YAML
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs", "cgroupRoot": self._make_cgroup(),
            "containerRuntimeEndpoint": self.containerd.endpoint,
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                               "x509": {"clientCAFile": str(self.directory / "pki/ca.crt")}},
            "authorization": {"mode": "Webhook"}, "failSwapOn": False, "oomScoreAdj": 0,
            "evictionHard": {"memory.available": "50Mi"}, "localStorageCapacityIsolation": False,
            "imageGCHighThresholdPercent": 100,  # disabled: only the agent removes images in a test
            "podLogsDir": str(self.directory / "logs/pods"), "staticPodPath": str(self.directory / "static"),
            "volumePluginDir": str(self.directory / "plugins"), "resolvConf": "",
            "nodeStatusReportFrequency": "10s", "syncFrequency": "10s",
            # From 1.35 on, a kubelet does not start on a machine with cgroup v1 without it. 1.30 does not know it.
            **({} if self.version == OLDEST else {"failCgroupV1": False}), **self._kubelet}))
        self._run_kubelet()

    def _run_kubelet(self):
        self.cell.start("kubelet", [
            self._program, "kubelet", "--config", self.directory / "kubelet.yaml", "--kubeconfig", self.directory / "kubelet.conf",
            "--hostname-override", NODE, "--node-ip", NODE_IP, "--root-dir", self.kubelet_directory,
            "--cert-dir", self.directory / "pki", *self._features])

    def _await(self, component, condition, seconds):
        if not wait_until(condition, seconds, every=0.1):
            raise RuntimeError(f"the cluster did not come up ({component}):\n{self.cell.tail(component)}")

    def _api_server_ready(self):
        return self._succeeds("get", "--raw", "/readyz")

    def _node_ready(self):
        answer = self._succeeds("get", "node", NODE, "-o", "json")
        conditions = json.loads(answer)["status"].get("conditions", []) if answer else []
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def _default_account(self):
        return self._succeeds("get", "serviceaccount", "default")  # without it no pod is admitted

    def _succeeds(self, *arguments):
        try:
            return self.kubectl(*arguments, "--request-timeout=5s")
        except subprocess.CalledProcessError:
            return ""

    def _make_network(self):
        for command in (("ip", "link", "add", "node0", "type", "bridge"),
                        ("ip", "address", "add", f"{NODE_IP}/24", "dev", "node0"),
                        ("ip", "link", "set", "node0", "up"),
                        # kube-proxy and the kubelet need a default route. Nothing is reachable through it.
                        ("ip", "route", "add", "default", "dev", "node0"),
                        ("sysctl", "-qw", "net.ipv4.ip_forward=1")):
            self.cell.run(*command, mounts=True)

    def _make_sysctls(self):
        for name in SYSCTLS:
            copy = self.directory / "sysctl" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(pathlib.Path("/proc/sys", name).read_text())
            self.cell.run("mount", "--bind", copy, f"/proc/sys/{name}", mounts=True)

    def _make_cgroup(self):
        groups = pathlib.Path("/sys/fs/cgroup")
        if (groups / "cgroup.controllers").exists():
            (groups / self._cgroup.lstrip("/")).mkdir(exist_ok=True)
        else:
            for processes in groups.glob("*/cgroup.procs"):  # a directory without it is no hierarchy
                (processes.parent / self._cgroup.lstrip("/")).mkdir(exist_ok=True)
        return self._cgroup

    def _make_certificates(self):
        pki = self.directory / "pki"

        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=pki, check=True, capture_output=True)

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
        openssl("req", "-x509", *key, "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ca")
        for name, subject, names in (
                ("apiserver", "/CN=kube-apiserver",
                 "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,"
                 f"IP:10.96.0.1,IP:127.0.0.1,IP:{NODE_IP}"),
                ("admin", "/O=system:masters/CN=admin", "DNS:admin"),
                ("kubelet", f"/O=system:nodes/CN=system:node:{NODE}", f"DNS:{NODE},IP:{NODE_IP}")):
            (pki / f"{name}.names").write_text(f"subjectAltName={names}\n")
            openssl("req", *key, f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days", "2", "-extfile", f"{name}.names", "-out", f"{name}.crt")
        openssl("genrsa", "-out", "sa.key", "2048")
        openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")

    def _write_kubeconfig(self, user):
        pki, path = self.directory / "pki", self.directory / f"{user}.conf"
        path.write_text(f"""apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster: {{server: "{SERVER}", certificate-authority: "{pki}/ca.crt"}}
users:
- name: {user}
  user: {{client-certificate: "{pki}/{user}.crt", client-key: "{pki}/{user}.key"}}
contexts:
- name: lab
  context: {{cluster: lab, user: {user}}}
current-context: lab
""")
        return path

    def _write_cni(self):
        directory = self.directory / "cni"
        (directory / "10-bridge.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": "lab", "plugins": [
                {"type": "bridge", "bridge": "pods0", "isGateway": True, "ipMasq": True, "hairpinMode": True,
                 "ipam": {"type": "host-local", "dataDir": str(self.directory / "ipam"),
                          "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}},
                {"type": "portmap", "capabilities": {"portMappings": True}}]}))
        return directory
