"""Events: their envelope, their way out of a commit, and into a consumer."""
