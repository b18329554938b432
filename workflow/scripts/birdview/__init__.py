"""Bird's-eye-view images of LiDAR scans: points to pixels to PNG."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from birdview.image import read_image as load
    from birdview.pixels.camera import read_camera
    from birdview.pixels.encoding import load_encoding
    from birdview.pixels.layout import load_layout
    from birdview.pixels.raster import Raster
    from birdview.pixels.render import Renderer, render
    from birdview.pixels.scan import read_scan
    from birdview.training.images import Images

__version__ = "0.2.0"
__date__ = "2026-11-27"

__all__ = [
    "Images",
    "Raster",
    "Renderer",
    "load",
    "load_encoding",
    "load_layout",
    "read_camera",
    "read_scan",
    "render",
]

_HOMES = {
    "Images": ("birdview.training.images", "Images"),
    "load": ("birdview.image", "read_image"),
    "load_encoding": ("birdview.pixels.encoding", "load_encoding"),
    "load_layout": ("birdview.pixels.layout", "load_layout"),
    "read_camera": ("birdview.pixels.camera", "read_camera"),
    "read_scan": ("birdview.pixels.scan", "read_scan"),
    "Raster": ("birdview.pixels.raster", "Raster"),
    "Renderer": ("birdview.pixels.render", "Renderer"),
    "render": ("birdview.pixels.render", "render"),
}


def __getattr__(name: str) -> Any:
    # Imported when they are asked for: `birdview.load` must not wait for a compiler.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        extra = "[render]" if error.name == "numba" else ""
        raise ModuleNotFoundError(
            f"birdview.{name} needs {error.name}, which is not installed: "
            f"pip install 'birdview{extra}'",
            name=error.name,
        ) from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
