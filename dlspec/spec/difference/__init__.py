"""What two specs differ in: keys, layers, what they cost, stages of training, and what is wrong with them."""
