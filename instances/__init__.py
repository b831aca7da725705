"""Instances: device families, built-in CNNs, SSIM tables, the generator, and named sets."""
