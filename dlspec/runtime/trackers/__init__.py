"""Trackers, which show runs beside each other: TensorBoard, MLflow, Weights & Biases. Each runs in its own process."""
