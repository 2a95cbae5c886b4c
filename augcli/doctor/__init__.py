"""Is everything that augcli builds on there, whole and working?"""
