"""Arrays: NumPy files, batches of CIFAR, files of MNIST."""
