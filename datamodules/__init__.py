"""Lectern's data modules: one data set each, all yielding scenes."""

from .shapes import Shapes

__all__ = ["Shapes"]
