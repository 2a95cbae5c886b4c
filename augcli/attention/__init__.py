"""Heat maps: the scorer that computes them, the devices it runs on, and stored maps.

onnxruntime is imported only when a scorer is loaded.
"""
