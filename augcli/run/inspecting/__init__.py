"""Inspecting: what INPUT holds."""
