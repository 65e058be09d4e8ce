"""Loki in a container: settings from the environment, one server a volume, memory within the container's limit, JSON log lines."""
