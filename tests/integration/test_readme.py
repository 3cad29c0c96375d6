"""README.md's walk-through, run as a reader would."""

import re
import subprocess
from pathlib import Path

from local import ROOT
from local.platform.stack import Stack, path_in

BLOCK = re.compile(r"<!-- tests/integration/test_readme\.py runs this block -->\n```bash\n(.*?)```", re.DOTALL)
# It waits for what must come; what does not is not to be waited for.
SECONDS = 180


def test_the_walk_through_confirms_an_order_and_cancels_it(stack: Stack, tmp_path: Path) -> None:
    """The reader has `make up` behind them: .local/stack.json is there."""
    (tmp_path / ".local").mkdir()
    stack.write(path_in(tmp_path / ".local"))
    script = "".join(BLOCK.findall((ROOT / "README.md").read_text()))
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert run.returncode == 0, run.stderr
    assert "x-idempotent-replay: true" in run.stdout.lower()
    assert "\nconfirmed\n" in run.stdout
    assert '"next_token":' in run.stdout
    assert '"onHand":8,"reserved":0,"available":8' in run.stdout
    assert '"status":"canceled"' in run.stdout
    assert '"payload":{"parcel":"P-7","kilograms":12.50}' in run.stdout
    assert "consumer deleted: 204" in run.stdout
