"""Character language models: corpus, model, training, signatures, evaluation."""
