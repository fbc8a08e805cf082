
{{/* Takes the root context and the labels that replicas share. */}}
{{- define "npuserve.antiAffinity" -}}
{{- $term := printf "labelSelector:\n  matchLabels:\n    %s\ntopologyKey: kubernetes.io/hostname" (.selector | replace "\n" "\n    ") -}}
{{- if eq .root.Values.antiAffinity "required" -}}
requiredDuringSchedulingIgnoredDuringExecution:
  - {{- $term | nindent 4 }}
{{- else -}}
preferredDuringSchedulingIgnoredDuringExecution:
  - weight: 100
    podAffinityTerm:
      {{- $term | nindent 6 }}
{{- end -}}
{{- end -}}

{{/* Variables for connections that leave the cluster; the names in both spellings, since programs disagree. */}}
{{- define "npuserve.outbound" -}}
{{- $proxy := .Values.proxy -}}
{{- $variables := dict -}}
{{- with $proxy.http }}{{ $variables = merge $variables (dict "HTTP_PROXY" .) }}{{ end -}}
{{- with $proxy.https }}{{ $variables = merge $variables (dict "HTTPS_PROXY" .) }}{{ end -}}
{{- if $variables }}{{ $variables = merge $variables (dict "NO_PROXY" $proxy.noProxy) }}{{ end -}}
{{- range $name, $value := $variables }}
- name: {{ $name }}
  value: {{ $value | quote }}
- name: {{ lower $name }}
  value: {{ $value | quote }}
{{- end }}
{{- if .Values.caBundle.configMap }}
- name: SSL_CERT_FILE
  value: /etc/npuserve-ca/{{ .Values.caBundle.key }}
{{- end }}
{{- end -}}
