"""Keras's callbacks that a spec can name."""
