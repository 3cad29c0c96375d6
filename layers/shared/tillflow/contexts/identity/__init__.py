"""Identity: tokens, who they stand for, and who may have them issued."""
