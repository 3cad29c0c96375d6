"""What a function runs on: AWS clients, settings, secrets, time left, retries, logs and metrics."""
