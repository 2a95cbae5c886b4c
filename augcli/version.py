"""The version of augcli."""

VERSION = "0.1.0"
