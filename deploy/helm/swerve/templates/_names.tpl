{{- /* Names and labels, once. */ -}}
{{- define "swerve.name" -}}
{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "swerve.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "swerve.selector" . }}
{{- end -}}

{{- define "swerve.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "swerve.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{ .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "swerve.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "swerve.name" .) }}
{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end -}}

{{- define "swerve.secret" -}}
{{- if .Values.secret.existing -}}{{ .Values.secret.existing }}
{{- else if .Values.secret.values -}}{{ include "swerve.name" . }}
{{- else -}}{{ fail "set secret.existing to a Secret with SWERVE_HTTP__TOKEN, or secret.values.SWERVE_HTTP__TOKEN" }}{{- end -}}
{{- end -}}

{{- /* The host of publicUrl, by which Ingress and HTTPRoute are asked for. */ -}}
{{- define "swerve.host" -}}
{{- if not .Values.publicUrl -}}{{ fail "set publicUrl: ingress and httpRoute take their host from it" }}{{- end -}}
{{- (urlParse .Values.publicUrl).host | splitList ":" | first -}}
{{- end -}}
