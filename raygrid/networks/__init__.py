"""All that uses Keras: its setup, once in each process, architectures, pretrained backbones and fused layers."""
