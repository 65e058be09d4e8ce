"""Runs one database server in a container: takes its volume, starts it, turns its log into JSON lines, ends with it. Shared by the stores' images."""
