"""
A level's reorder point on each of its shards (docs/adr/0014).

The first shard has it, and notes whether the level is low; the others have it so that a change of them is looked at too. One
that came into being since gets it when the level is looked at next.
"""

from itertools import batched

from tillflow.contexts.stock import allocation, masters
from tillflow.contexts.stock.rules import Stocked
from tillflow.messaging.envelope import Cause
from tillflow.storage.commit import Commit

# One transaction each: a larger one more often meets a sale, and then one of the two has to wait.
_AT_ONCE = 25


def spread(have: Stocked, cause: Cause) -> None:
    """Let the other shards of a level have the reorder point that its first has."""
    level, points = allocation.whole(have.levels), {shard.shard: shard.reorder_point for shard in have.levels}
    behind = [shard for shard in range(1, have.variant.shards_ever) if points.get(shard) != level.reorder_point]
    for some in batched(behind, _AT_ONCE, strict=False):
        commit = Commit(cause)
        for shard in some:
            masters.mark_shard(commit, level, shard)
        commit.write()
