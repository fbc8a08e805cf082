{{/* The name of the release's objects, short enough for the suffixes that some of them add. */}}
{{- define "npuserve.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "npuserve.account" -}}
{{- .Values.serviceAccount.name | default (include "npuserve.name" .) -}}
{{- end -}}

{{- define "npuserve.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "npuserve.labels" -}}
{{ include "npuserve.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "npuserve.activator.name" -}}
{{- printf "%s-activator" (include "npuserve.name" .) -}}
{{- end -}}

{{- define "npuserve.activator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-activator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "npuserve.activator.labels" -}}
{{ include "npuserve.activator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: activator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "npuserve.image" -}}
{{- $image := .Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* What the Pod Security Standard `restricted` asks of a pod and of its container. */}}
{{- define "npuserve.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "npuserve.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "npuserve.configuration" -}}
{{- $activator := pick .Values.activator "enabled" "firstPort" "lastPort" "heldRequests" "holdSeconds" -}}
{{- $activator = merge (dict "service" (include "npuserve.activator.name" .)) $activator -}}
{{ toYaml (merge (dict "activator" $activator) .Values.config) }}
{{- end -}}
