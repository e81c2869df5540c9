"""What a network looks at, as plain functions on plain networks: maps of an image, and what a layer's channels answer to.

Captum has Grad-CAM, guided backpropagation, gradients and occlusion; the deconvnet, activation maximisation and the choice of
the images that excite a channel are here. ``lectern explain`` draws them, and studies measure them.
"""
