"""What one asks of one SAE, of two, and of a family of them: distributions, positions, pooling, geometry, seeds …"""
