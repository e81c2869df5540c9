"""Stanford CS231n, spring 2017, lecture 11: detection and segmentation."""
