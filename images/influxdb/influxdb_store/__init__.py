"""InfluxDB 1.8 in a container: settings from the environment, users and retention that follow them, one server a volume, JSON log lines."""
