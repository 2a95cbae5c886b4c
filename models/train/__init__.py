"""Training of the heat-map scorer that augcli ships; see models/README.md."""
