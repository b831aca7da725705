"""What an attacker holds of a layer, in words: `views` makes tensors of it."""

from dataclasses import dataclass
from typing import Literal, get_args

ViewKind = Literal["output", "partial"]
VIEW_KINDS: tuple[str, ...] = get_args(ViewKind)


@dataclass(frozen=True)
class AttackerView:
    """What one device, or several that collude, hold of a layer."""

    kind: ViewKind = "output"
    """The maps that the layer puts out (of a conv: its sums, before ReLU); or the partial sums
    that each sender of the last conv up to the layer sends, unsummed.
    """
    senders: int = 1
    """Among how many devices the input maps of the conv are dealt; for "partial" only."""
    colluders: int = 1
    """Devices that pool their shares."""

    def describe(self) -> str:
        """Return the view in a few words."""
        texts = {"output": "output maps", "partial": f"partial sums of {self.senders} senders"}
        pooled = f", pooled by {self.colluders} devices" if self.colluders > 1 else ""
        return texts[self.kind] + pooled
