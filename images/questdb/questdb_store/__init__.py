"""QuestDB in a container: settings from the environment, the table of bars, one server a volume, JSON log lines."""
