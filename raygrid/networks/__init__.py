"""Keras: set up once a process, with its architectures, pretrained backbones and fused layers."""
