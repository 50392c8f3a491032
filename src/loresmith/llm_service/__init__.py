"""The gRPC process that talks to language models, and the only holder of provider keys."""
