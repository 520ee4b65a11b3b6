{{/* Puts what values of AppsCode's charts mean into .Values, or fails and says all that has to be said, a line a key: see
old-values.yaml. The first line of each template that reads such values; whichever comes first does it. */}}
{{- define "stash.translate" -}}
{{- if not (hasKey .Values "translated") -}}
{{- $_ := set .Values "translated" true -}}
{{- $table := .Files.Get "old-values.yaml" | fromYaml -}}
{{- $context := dict "root" . "refused" list -}}
{{- range $prefix := list "" "stash-community" "stash-enterprise" -}}
{{- $given := empty $prefix | ternary $.Values (index $.Values $prefix | default dict) -}}
{{- include "stash.translateRows" (dict "context" $context "rows" $table.keys "given" $given "prefix" $prefix) -}}
{{- include "stash.translateTogether" (list $ $given) -}}
{{- end -}}
{{- include "stash.translateRows" (dict "context" $context "rows" $table.umbrella "given" .Values "prefix" "") -}}
{{- with $context.refused -}}
{{- fail (printf "these values are of AppsCode's chart (docs/migration-values.md):\n  %s" (join "\n  " .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "stash.translateRows" -}}
{{- $context := .context -}}
{{- $given := .given -}}
{{- range $row := .rows -}}
{{- $shared := and (hasPrefix "global." $row.key) (not $context.root.Chart.IsRoot) -}}
{{- $found := include "stash.lookUp" (list $given $row.key) | fromJson -}}
{{- if and $found.there (not $shared) -}}
{{- if has $found.value $row.is -}}
{{- else if and (empty $found.value) (not (has $found.value $row.refuses)) -}}
{{- else if $row.here -}}
{{- $key := empty $.prefix | ternary $row.key (printf "%s.%s" $.prefix $row.key) -}}
{{- $_ := set $context "refused" (append $context.refused (printf "%s: %s" $key $row.here)) -}}
{{- else if not (has $row.key (list "criticalAddon" "logLevel" "pushgateway.registry" "pushgateway.repository" "monitoring.agent" "monitoring.backup" "monitoring.operator")) -}}
{{- range $row.to -}}
{{- include "stash.put" (list $context.root.Values . $found.value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What several keys say together, or in other words. Called with (list . $given). */}}
{{- define "stash.translateTogether" -}}
{{- $values := (index . 0).Values -}}
{{- $given := index . 1 -}}
{{- $gateway := index $given "pushgateway" | default dict -}}
{{- if or $gateway.registry $gateway.repository -}}
{{- $name := printf "%s/%s" ($gateway.registry | default "prom") ($gateway.repository | default "pushgateway") -}}
{{- include "stash.put" (list $values "pushgateway.image.repository" $name) -}}
{{- end -}}
{{- $level := index $given "logLevel" -}}
{{- if not (or (kindIs "invalid" $level) (kindIs "string" $level)) -}}
{{- include "stash.put" (list $values "logLevel" (gt (int $level) 3 | ternary "debug" "info")) -}}
{{- end -}}
{{- if index $given "criticalAddon" -}}
{{- range $component := list $values.webhook $values.operator -}}
{{- $_ := set $component "priorityClassName" "system-cluster-critical" -}}
{{- $_ := set $component "tolerations" (append ($component.tolerations | default list) (dict "key" "CriticalAddonsOnly" "operator" "Exists")) -}}
{{- end -}}
{{- end -}}
{{- $monitoring := index $given "monitoring" | default dict -}}
{{- if and $monitoring.agent (or $monitoring.backup $monitoring.operator) -}}
{{- if eq $monitoring.agent "prometheus.io/builtin" -}}
{{- include "stash.put" (list $values "monitoring.annotations" true) -}}
{{- else if has $monitoring.agent (list "prometheus.io/operator" "prometheus.io/coreos-operator") -}}
{{- include "stash.put" (list $values "monitoring.serviceMonitor.enabled" true) -}}
{{- else if ne $monitoring.agent "none" -}}
{{- fail (printf "monitoring.agent: %s is not known here; monitoring.annotations and monitoring.serviceMonitor.enabled say who scrapes" $monitoring.agent) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* {"there": false} or {"there": true, "value": ...}. Called with (list $values "a.b.c"). */}}
{{- define "stash.lookUp" -}}
{{- $found := dict "there" true "value" (index . 0) -}}
{{- range splitList "." (index . 1) -}}
{{- if and $found.there (kindIs "map" $found.value) (hasKey $found.value .) -}}
{{- $_ := set $found "value" (index $found.value .) -}}
{{- else -}}
{{- $_ := set $found "there" false -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Called with (list $values "a.b.c" $value). */}}
{{- define "stash.put" -}}
{{- $parts := splitList "." (index . 1) -}}
{{- $value := index . 2 -}}
{{- $parent := dict "node" (index . 0) -}}
{{- range initial $parts -}}
{{- $_ := set $parent "node" (index $parent.node .) -}}
{{- end -}}
{{- if and (kindIs "map" $value) (kindIs "map" (index $parent.node (last $parts))) -}}
{{- $value = mergeOverwrite (dict) (index $parent.node (last $parts)) $value -}}
{{- end -}}
{{- $_ := set $parent.node (last $parts) $value -}}
{{- end -}}
