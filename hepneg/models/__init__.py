"""Trained models: responses for any events, saving and loading, ONNX."""
