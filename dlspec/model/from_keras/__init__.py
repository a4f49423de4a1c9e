"""A model of Keras, as its configuration describes it, in the layers of the language."""
