"""The web side: a request in, an answer or a refusal out."""
