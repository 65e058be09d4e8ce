"""Redis in a container: settings from the environment, one server a volume, JSON log lines."""
