"""`model:`: layers, initializers, shapes (`Graph`), the Keras model, weights."""
