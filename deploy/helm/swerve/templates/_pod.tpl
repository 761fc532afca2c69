{{- /* What the pods of all stages have in common: called with (dict "root" $ "stage" "detect" "values" .Values.detect). */ -}}

{{- define "swerve.environment" -}}
- { name: SWERVE_CONFIG, value: /etc/swerve/swerve.toml }
- { name: SWERVE_HTTP__HOST, value: "0.0.0.0" }
- { name: SWERVE_HTTP__PORT, value: "8321" }
- { name: SWERVE_KAFKA__BOOTSTRAP_SERVERS, value: {{ .Values.kafka.bootstrapServers | quote }} }
- { name: SWERVE_KAFKA__PARTITIONS, value: {{ .Values.kafka.partitions | int | quote }} }
- { name: SWERVE_KAFKA__REPLICATION_FACTOR, value: {{ .Values.kafka.replicationFactor | int | quote }} }
- { name: SWERVE_KAFKA__TOPICS__REQUESTS, value: {{ .Values.kafka.requestsTopic | quote }} }
- { name: SWERVE_KAFKA__GROUPS__INGEST, value: {{ .Values.kafka.ingestGroup | quote }} }
{{- with .Values.publicUrl }}
- { name: SWERVE_HTTP__PUBLIC_URL, value: {{ trimSuffix "/" . | quote }} }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "swerve.metadata" -}}
metadata:
  labels:
    {{- include "swerve.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .stage }}
    {{- with .root.Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A changed configuration is a new generation of pods.
    checksum/config: {{ include (print .root.Template.BasePath "/configmap.yaml") .root | sha256sum }}
    checksum/secret: {{ include (print .root.Template.BasePath "/secret.yaml") .root | sha256sum }}
    {{- with .root.Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "swerve.podSecurity" -}}
serviceAccountName: {{ include "swerve.serviceAccount" . }}
automountServiceAccountToken: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext: {{ toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "swerve.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "swerve.container" -}}
image: {{ include "swerve.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
envFrom:
  - secretRef: { name: {{ include "swerve.secret" . }} }
volumeMounts:
  - { name: config, mountPath: /etc/swerve, readOnly: true }
  - { name: scratch, mountPath: /tmp }
  {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}

{{- define "swerve.volumes" -}}
volumes:
  - name: config
    configMap: { name: {{ include "swerve.name" . }} }
  - name: scratch
    emptyDir: { sizeLimit: 1Gi }
  {{- with .Values.extraVolumes }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}

{{- define "swerve.pod" -}}
{{ include "swerve.metadata" . }}
spec:
  {{- include "swerve.podSecurity" .root | nindent 2 }}
  terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
  enableServiceLinks: false
  {{- include "swerve.placement" .root | nindent 2 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "swerve.selector" .root | nindent 10 }}
          app.kubernetes.io/component: {{ .stage }}
  containers:
    - name: {{ .stage }}
      args: [{{ .stage }}]
      {{- include "swerve.container" .root | nindent 6 }}
      env:
        {{- include "swerve.environment" .root | nindent 8 }}
        {{- if eq .stage "detect" }}
        # Static membership: a pod that is back within the session timeout has its partitions as before.
        - name: SWERVE_KAFKA__INSTANCE_ID
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        {{- end }}
      ports:
        - { name: http, containerPort: 8321 }
      resources: {{ toYaml .values.resources | nindent 8 }}
      # A long recovery is no reason to kill: it would begin again. Alive is that the event loop turns.
      startupProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 5
        timeoutSeconds: 5
  {{- include "swerve.volumes" .root | nindent 2 }}
{{- end -}}
