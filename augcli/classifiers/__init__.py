"""Scorers made of classifiers: the last feature map of any ONNX classifier as a heat map.

The steps, in the order in which :mod:`.prepare` takes them: read the classifier (``reading``),
agree on its input (``entry``), find the feature map (``finding``), draw the heat map from it
(``drawing``, ``class_layer``), put the scorer together (``assembling``), try it out (``trial``)
and publish it (``publishing``). onnx is an optional package, imported inside functions only.
"""
