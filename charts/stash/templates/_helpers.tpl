{{/* Prefix of all object names: release "stash" gives stash-operator and stash-webhook. */}}
{{- define "stash.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select a component's pods; never change them, selectors are immutable. Called with (list . "webhook"). */}}
{{- define "stash.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of every object. Called with (list . "webhook"). */}}
{{- define "stash.labels" -}}
{{- $root := index . 0 -}}
{{ include "stash.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Called with .Values.image or .Values.pushgateway.image. */}}
{{- define "stash.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{/* The Secret with the webhook's CA and serving certificate; the controller fills it. */}}
{{- define "stash.certSecret" -}}
{{ include "stash.fullname" . }}-webhook-cert
{{- end -}}

{{- define "stash.lease" -}}
{{ include "stash.fullname" . }}-controller
{{- end -}}

{{/* Does the operator's pod run a Pushgateway? "true" or "". */}}
{{- define "stash.runsPushgateway" -}}
{{- if and .Values.pushgateway.enabled (not .Values.pushgateway.url) -}}true{{- end -}}
{{- end -}}

{{/* Flags that webhook and controller share: both must come to the same decision about a workload. */}}
{{- define "stash.commonArgs" -}}
- --image={{ include "stash.image" .Values.image }}
{{- with .Values.pushgateway }}
{{- if .url }}
- {{ printf "--pushgateway-url=%s" .url | quote }}
{{- else if .enabled }}
- --pushgateway-url=http://{{ include "stash.fullname" $ }}-operator.{{ $.Release.Namespace }}.svc:56789
{{- end }}
{{- end }}
{{- range .Values.imagePullSecrets }}
- --image-pull-secret={{ .name }}
{{- end }}
- {{ printf "--sidecar-resources=%s" (toJson .Values.sidecar.resources) | quote }}
- --injection-mode={{ .Values.injection.mode }}
{{- range .Values.hostPath.allowed }}
- {{ printf "--allowed-host-path=%s" . | quote }}
{{- end }}
- --exec-hooks={{ .Values.hooks.exec }}
- --log-level={{ .Values.logLevel }}
- --health-address=:8081
- --cert-secret={{ include "stash.certSecret" . }}
{{- end -}}

{{- define "stash.commonEnv" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end -}}

{{- define "stash.probes" -}}
livenessProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 3
  timeoutSeconds: 3
{{- end -}}

{{/* Passes Pod Security "restricted". Called with the user id. */}}
{{- define "stash.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "stash.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Labels and annotations of a component's pods. Called with (list . "webhook"). */}}
{{- define "stash.podMetadata" -}}
{{- $values := (index . 0).Values -}}
labels: {{- mergeOverwrite (dict) ($values.podLabels | default dict) (include "stash.labels" . | fromYaml) | toYaml | nindent 2 }}
{{- if or $values.podAnnotations $values.monitoring.annotations }}
annotations:
  {{- with $values.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
  {{- if $values.monitoring.annotations }}{{ include "stash.scrapeAnnotations" 8081 | nindent 2 }}{{ end }}
{{- end }}
{{- end -}}

{{/* Where pods are placed. Called with .Values.webhook or .Values.operator. */}}
{{- define "stash.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Namespaces in which the webhooks are never asked: a cluster must come up, and Stash itself, without Stash. */}}
{{- define "stash.neverAsked" -}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: [kube-system, kube-node-lease, kube-public, {{ .Release.Namespace | quote }}]
{{- end -}}

{{/* Called with the port. */}}
{{- define "stash.scrapeAnnotations" -}}
prometheus.io/scrape: "true"
prometheus.io/port: {{ . | quote }}
prometheus.io/path: /metrics
{{- end -}}
