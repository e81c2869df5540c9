"""Live demonstrations: small trainings and computations in plain PyTorch, one seed each, that draw as they go."""
