"""DynamoDB: the one write path, reads, and what a key was answered."""
