#!/bin/sh
# Starts Grafana (the command that follows) unless a setting is missing or another copy has the volume.
set -eu

# Exit code and sentence; it becomes JSON: without quotes and backslashes.
refuse() {
    printf '{"time": "%s", "level": "critical", "service": "grafana", "message": "%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2"
    exit "$1"
}

missing=
for name in GF_SECURITY_ADMIN_PASSWORD GRAFANA_INFLUX_URL GRAFANA_INFLUX_DATABASE GRAFANA_INFLUX_USER GRAFANA_INFLUX_PASSWORD \
    GRAFANA_LOKI_URL GRAFANA_LOKI_BASIC_AUTH GRAFANA_LOKI_USER GRAFANA_LOKI_PASSWORD; do
    eval "value=\${$name-}"
    [ -n "$value" ] || missing="$missing $name"
done
[ -z "$missing" ] || refuse 78 "missing:$missing. Set them; where there is no user or password, to none."
[ -w "$GF_PATHS_DATA" ] || refuse 78 "$GF_PATHS_DATA can not be written: give a volume that belongs to uid $(id -u)."

mkdir -p "$TMPDIR"
# The lock is the server's too: it is free again when the last process that holds this file is gone.
exec 9>>"$GF_PATHS_DATA/.lock"
flock -n 9 || refuse 75 "another Grafana uses $GF_PATHS_DATA: stop it first; its database takes one writer."
exec "$@"
