from hypothesis import settings

from tests.world import world

__all__ = ["world"]

# No deadline for one example: the machine may be busy. The same examples in every run: a red build is red again.
settings.register_profile("tillflow", deadline=None, database=None, derandomize=True, max_examples=50)
settings.load_profile("tillflow")
