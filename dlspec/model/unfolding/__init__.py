"""Networks that others have trained, as layers of the language: those of `keras.applications`, and files of Keras."""
