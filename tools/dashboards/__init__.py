"""Grafana's dashboards (images/grafana/dashboards), made from the query files (images/queries): `python -m tools.dashboards [--check]`."""
