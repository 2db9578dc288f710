{{/* "true", or empty when enabled is false. Values of a release of an older chart do not have it. */}}
{{- define "imagesweep.enabled" -}}
{{- if ne (toString .Values.enabled) "false" }}true{{ end -}}
{{- end -}}

{{- define "imagesweep.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "imagesweep.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "imagesweep.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "imagesweep.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "imagesweep.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* A ClusterRole's name must not meet that of a release of the same name in another namespace. */}}
{{- define "imagesweep.clusterName" -}}
{{- $name := include "imagesweep.fullname" . -}}
{{- $namespace := include "imagesweep.namespace" . -}}
{{- if eq $namespace (printf "%s-system" $name) }}{{ $name }}{{ else }}{{ printf "%s-%s" $namespace $name | trunc 63 | trimSuffix "-" }}{{ end -}}
{{- end -}}

{{- define "imagesweep.selectorLabels" -}}
app.kubernetes.io/name: {{ include "imagesweep.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end -}}

{{- define "imagesweep.labels" -}}
{{- with .Values.commonLabels }}{{ toYaml . }}
{{ end -}}
{{ include "imagesweep.selectorLabels" . }}
{{ include "imagesweep.commonLabels" . }}
{{- end -}}

{{- define "imagesweep.indexSelectorLabels" -}}
app.kubernetes.io/name: {{ include "imagesweep.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: index
{{- end -}}

{{- define "imagesweep.indexLabels" -}}
{{- with .Values.commonLabels }}{{ toYaml . }}
{{ end -}}
{{ include "imagesweep.indexSelectorLabels" . }}
{{ include "imagesweep.commonLabels" . }}
{{- end -}}

{{- define "imagesweep.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: imagesweep
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "imagesweep.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "imagesweep.fullname" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end -}}
{{- end -}}

{{- define "imagesweep.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "imagesweep.policyConfigMap" -}}
{{- if .Values.policy.create -}}
{{ include "imagesweep.fullname" . }}-policy
{{- else -}}
{{ required "policy.create is false: name your ConfigMap in policy.existingConfigMap" .Values.policy.existingConfigMap }}
{{- end -}}
{{- end -}}

{{/* The policy's keep.workloads.enabled, true or false. A section of the policy may be null. */}}
{{- define "imagesweep.keepWorkloads" -}}
{{- $keep := default dict (get .Values.policy.config "keep") -}}
{{- $workloads := default dict (get $keep "workloads") -}}
{{- dig "enabled" true $workloads -}}
{{- end -}}

{{/* off, direct or index. YAML 1.1 takes an unquoted off for false. */}}
{{- define "imagesweep.workloads" -}}
{{- $mode := toString .Values.workloads.mode -}}
{{- if eq $mode "false" }}{{ $mode = "off" }}{{ end -}}
{{- if and .Values.policy.create (eq $mode "off") (ne (include "imagesweep.keepWorkloads" .) "false") -}}
{{- fail "policy.config.keep.workloads.enabled is true, which is the default, and workloads.mode is off: every run would abort, as nothing reads the cluster's workloads. Set workloads.mode to index or direct, or policy.config.keep.workloads.enabled to false to let only pods count" -}}
{{- end -}}
{{- $mode -}}
{{- end -}}

{{/* Its Lease, and what the names of its ConfigMaps begin with. */}}
{{- define "imagesweep.indexName" -}}
{{ include "imagesweep.fullname" . }}-workloads
{{- end -}}

{{/* The head and the shards of both slots, as a YAML list. */}}
{{- define "imagesweep.indexConfigMaps" -}}
{{- $name := include "imagesweep.indexName" . -}}
- {{ $name }}
{{- range $slot := list "a" "b" }}
{{- range $number := until (int $.Values.workloads.index.shards) }}
- {{ $name }}-{{ $slot }}-{{ $number }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What it takes to read the workloads of the whole cluster. */}}
{{- define "imagesweep.workloadRules" -}}
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets, replicasets, controllerrevisions]
  verbs: [list, watch]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [list, watch]
{{- end -}}

{{/* Where each runtime has its socket, the directory to mount for it, and its images. The first row holds for none:
the agent then looks for all of these sockets by itself (except microk8s', which is not below /run). Behind cri-dockerd,
the agent uses the Docker Engine itself: with the socket of cri-dockerd it removes nothing, because the CRI does not list
all containers. Both sockets are in /run. */}}
{{- define "imagesweep.runtimes" -}}
"": {socketDir: /run, endpoint: "", images: /var/lib}
containerd: {socketDir: /run/containerd, endpoint: unix:///run/containerd/containerd.sock, images: /var/lib/containerd}
k3s: {socketDir: /run/k3s/containerd, endpoint: unix:///run/k3s/containerd/containerd.sock, images: /var/lib/rancher/k3s/agent/containerd}
rke2: {socketDir: /run/k3s/containerd, endpoint: unix:///run/k3s/containerd/containerd.sock, images: /var/lib/rancher/rke2/agent/containerd}
k0s: {socketDir: /run/k0s, endpoint: unix:///run/k0s/containerd.sock, images: /var/lib/k0s/containerd}
microk8s: {socketDir: /var/snap/microk8s/common/run, endpoint: unix:///var/snap/microk8s/common/run/containerd.sock, images: /var/snap/microk8s/common/var/lib/containerd}
cri-o: {socketDir: /run, endpoint: unix:///run/crio/crio.sock, images: /var/lib/containers/storage}
cri-dockerd: {socketDir: /run, endpoint: unix:///run/docker.sock, images: /var/lib/docker}
{{- end -}}

{{/* The runtime's row with the values that were given in its place. `endpoint` is as the container sees it: node
directories for sockets are below /host there. The image filesystem has the node's own path, as the runtime names it. */}}
{{- define "imagesweep.runtime" -}}
{{- $row := get (include "imagesweep.runtimes" . | fromYaml) .Values.runtime.name -}}
{{- $socketDir := default $row.socketDir .Values.runtime.hostSocketDir | trimSuffix "/" -}}
{{- $endpoint := .Values.runtime.endpoint -}}
{{- if and .Values.runtime.name (not $endpoint) -}}
{{- $endpoint = $row.endpoint -}}
{{- if not (hasPrefix (printf "unix://%s/" $socketDir) $endpoint) }}{{ $endpoint = printf "unix://%s/%s" $socketDir (base $endpoint) }}{{ end -}}
{{- end -}}
{{- $path := $endpoint | trimPrefix "unix://" | trimPrefix "unix:" -}}
{{- if and $path (not (hasPrefix (printf "%s/" $socketDir) $path)) -}}
{{- fail (printf "runtime.endpoint %s is not below runtime.hostSocketDir %s, the directory that is mounted" .Values.runtime.endpoint $socketDir) -}}
{{- end -}}
socketDir: {{ $socketDir }}
endpoint: {{ if $path }}unix:///host{{ $path }}{{ else }}""{{ end }}
images: {{ default $row.images .Values.runtime.imageFilesystemPath | trimSuffix "/" }}
{{- end -}}

{{/* The container's environment and mounts: the agent's, and those of the test, which asks the same questions. The
command line reads the same variables, so `kubectl exec … -- imagesweep plan` needs no flags. */}}
{{- define "imagesweep.environment" -}}
{{- $runtime := include "imagesweep.runtime" . | fromYaml -}}
- {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
- {name: IMAGESWEEP_POLICY_CONFIGMAP, value: {{ printf "%s/%s" (include "imagesweep.namespace" .) (include "imagesweep.policyConfigMap" .) }}}
{{- if .Values.policy.allowOverride }}
- {name: IMAGESWEEP_POLICY_OVERRIDE_CONFIGMAP, value: {{ printf "%s/%s-policy-override" (include "imagesweep.namespace" .) (include "imagesweep.fullname" .) }}}
{{- end }}
{{- if ne .Values.policy.key "policy.yaml" }}
- {name: IMAGESWEEP_POLICY_KEY, value: {{ .Values.policy.key | quote }}}
{{- end }}
- {name: IMAGESWEEP_POLICY_ORIGIN, value: {{ ternary "chart" "existing" .Values.policy.create }}}
- {name: IMAGESWEEP_EVENTS, value: {{ .Values.events.enabled | quote }}}
{{- $workloads := include "imagesweep.workloads" . }}
- {name: IMAGESWEEP_WORKLOADS, value: {{ $workloads | quote }}}
{{- if eq $workloads "index" }}
- {name: IMAGESWEEP_INDEX_NAME, value: {{ include "imagesweep.indexName" . }}}
{{- end }}
- {name: IMAGESWEEP_STATE_DIR, value: /state}
{{- if .Values.kubeletPullRecords.enabled }}
- {name: IMAGESWEEP_KUBELET_DIR, value: /host/kubelet}
{{- end }}
{{- if ne (int .Values.metrics.port) 8080 }}
- {name: IMAGESWEEP_LISTEN_ADDRESS, value: {{ printf ":%d" (int .Values.metrics.port) | quote }}}
{{- end }}
{{- if $runtime.endpoint }}
- {name: IMAGESWEEP_RUNTIME_ENDPOINT, value: {{ $runtime.endpoint | quote }}}
{{- else }}
- {name: IMAGESWEEP_HOST_PREFIX, value: /host}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "imagesweep.mounts" -}}
{{- $runtime := include "imagesweep.runtime" . | fromYaml -}}
# HostToContainer: what the node unmounts later must not stay mounted here.
- {name: sockets, mountPath: {{ printf "/host%s" $runtime.socketDir }}, readOnly: true, mountPropagation: HostToContainer}
- {name: images, mountPath: {{ $runtime.images }}, readOnly: true, mountPropagation: HostToContainer}
- {name: state, mountPath: /state}
{{- if .Values.kubeletPullRecords.enabled }}
# Not below /var/lib, where the images may be mounted read-only.
- {name: pull-records, mountPath: /host/kubelet/image_manager/pulled, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "imagesweep.volumes" -}}
{{- $runtime := include "imagesweep.runtime" . | fromYaml -}}
# The type matters: without it the kubelet makes a directory where the socket's should be.
- {name: sockets, hostPath: {path: {{ $runtime.socketDir }}, type: Directory}}
- {name: images, hostPath: {path: {{ $runtime.images }}, type: Directory}}
{{- if .Values.kubeletPullRecords.enabled }}
- {name: pull-records, hostPath: {path: {{ .Values.kubeletPullRecords.kubeletDir }}/image_manager/pulled, type: Directory}}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The node is what a person asks for; the operator's own labels only know the pod. */}}
{{- define "imagesweep.endpoint" -}}
- port: http-metrics
  path: /metrics
  {{- with .interval }}
  interval: {{ . }}
  {{- end }}
  {{- with .scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  relabelings:
  - {sourceLabels: [__meta_kubernetes_pod_node_name], targetLabel: node}
  {{- with .relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .metricRelabelings }}
  metricRelabelings:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "imagesweep.monitorMetadata" -}}
{{- $root := index . 0 -}}{{- $values := index . 1 -}}
name: {{ include "imagesweep.fullname" $root }}
namespace: {{ default (include "imagesweep.namespace" $root) $values.namespace }}
labels:
  {{- include "imagesweep.labels" $root | nindent 2 }}
  {{- with $values.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
