"""Small kinds that layers and training name, a file for each: activations, initializers, optimizers, losses, …"""
