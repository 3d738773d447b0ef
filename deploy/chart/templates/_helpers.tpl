{{- define "gateway.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gateway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: gateway
app.kubernetes.io/part-of: platform-gateway
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The settings: the operator's, under what the chart has to decide. */}}
{{- define "gateway.config" -}}
{{- $service := include "gateway.name" . -}}
{{- $names := list "localhost" "127.0.0.1" $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s.svc.cluster.local" $service .Release.Namespace) -}}
{{- $own := dict
      "listen" (dict "host" "0.0.0.0" "port" 8080)
      "allowed_hosts" (concat $names .Values.allowedHosts)
      "token" (dict "file" "/run/secrets/platform/token")
      "drain" (dict "delay" .Values.drain.delay "timeout" .Values.drain.timeout) -}}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml -}}
{{- end }}
