"""Heat maps: the ONNX scorer. Imports onnxruntime only when a scorer is loaded."""
