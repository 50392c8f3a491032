"""What a job type sees of a language model: the port, its gRPC client, a scripted double."""
