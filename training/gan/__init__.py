"""The class-conditional GAN: model, training, signatures, evaluation."""
