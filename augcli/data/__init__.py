"""Files: the folder of sources, labels, codecs, output names and the manifest."""
