"""Networks pretrained on ImageNet, their weights, and transfer learning."""
