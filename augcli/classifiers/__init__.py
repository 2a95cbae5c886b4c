"""Scorers made of classifiers: the last feature map of any ONNX classifier as a heat map.

:mod:`.prepare` makes a scorer, with the options of :mod:`.options`, in these steps:

1. :mod:`.read` reads the classifier's file.
2. :mod:`.image_input` chooses what the scorer takes and how that becomes the classifier's input,
   :mod:`.scaling` how its pixels are scaled.
3. :mod:`.feature_map` finds the last feature map in the graph (:mod:`.classifier_graph`).
4. :mod:`.heat_map_nodes` adds the nodes that make the heat map of it, with the weights that
   :mod:`.class_layer` finds for a class activation map.
5. :mod:`.assemble` puts the graph and its metadata together.
6. :mod:`.publish` writes the file and gives it its name once :mod:`.trial` has tried it.

:mod:`.describe` describes a finished scorer. The package onnx is optional; it is imported inside
functions only.
"""
