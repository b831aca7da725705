"""Whether a looser tolerance only adds placements: then no optimum gets worse by it."""

from functools import lru_cache

from benchmarks.simulate import Setting
from optmodel.problem import LayerTask, Problem, Request


def only_adds(loose: Setting, tight: Setting) -> bool:
    """Tell whether every placement that the tight setting allows is allowed by the loose one.

    They are equal but for their tolerances. Caps only grow with the tolerance, but layers that must
    stay on the camera at a tight one (a first fc that receives maps at risk, or layers of which no
    share is safe) may not be there at a loose one (8h).
    """
    same = tight.model_copy(update={"tolerated_ssim": loose.tolerated_ssim})
    if same != loose or loose.tolerated_ssim < tight.tolerated_ssim:
        return False
    return all(
        _allows(there, here)
        for network in loose.networks
        for there, here in zip(_layers(loose, network), _layers(tight, network), strict=True)
    )


def kept_beyond_paper(setting: Setting, network: str) -> bool:
    """Tell whether layers of a network are kept on the camera because no share is safe.

    The paper's model has no placement then; keeping them there extends 8h.
    """
    strict = _layers_of(network, setting.tolerated_ssim, False)
    return setting.unattainable == "source" and not all(layer.hosts for layer in strict)


def _allows(loose: LayerTask, tight: LayerTask) -> bool:
    return not tight.hosts or (set(tight.hosts) <= set(loose.hosts) and tight.cap <= loose.cap)


def _layers(setting: Setting, network: str) -> tuple[LayerTask, ...]:
    return _layers_of(network, setting.tolerated_ssim, setting.unattainable == "source")


@lru_cache(maxsize=256)
def _layers_of(network: str, tolerance: float, on_source: bool) -> tuple[LayerTask, ...]:
    """Return the layers of a request on a small fleet: hosts and caps are alike on any."""
    setting = Setting(
        networks=(network,),
        devices=2,
        cameras=1,
        tolerated_ssim=tolerance,
        unattainable="source" if on_source else "reject",
    )
    request = Request(id="r", source="camera-1", network=network, tolerated_ssim=tolerance)
    return Problem.of(setting.make_fleet().with_requests((request,))).tasks[0].layers
