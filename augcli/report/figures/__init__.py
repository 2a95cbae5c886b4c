"""What is counted: the manifest in arrays, figures, and checks of them."""
