"""`runtime:`: devices, memory, files that are written whole, Keras loaded quietly, `dlspec doctor`."""
