"""`train:`: optimizers, losses, schedules, callbacks, engines, and the trainer of a stage."""
