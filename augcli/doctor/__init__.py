"""``augcli doctor``: does everything that augcli depends on work?"""
