"""Scorers made of classifiers: the last feature map of any ONNX classifier as a heat map.

The steps, in the order in which :mod:`.prepare` takes them: read the classifier
(:mod:`.reading`), agree on its input (:mod:`.entry`), find the feature map (:mod:`.finding`),
draw the heat map from it (:mod:`.drawing`), try the scorer out and publish it. Imports onnx, an
optional package, inside functions only.
"""
