"""Stands in for freqtrade in the launcher's tests: same entry point, same way to stop, and it writes to the database that it is given."""
