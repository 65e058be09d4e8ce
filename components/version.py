"""The library's version: the wheel's and the plugin's."""

VERSION = "0.1.0"
