"""Started by `pulumi preview --policy-pack policy`, in this folder: the controls, served over the analyzer protocol."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policy.pack import serve

serve()
