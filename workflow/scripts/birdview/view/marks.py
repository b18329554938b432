"""Draw marks on pictures: text, the sensor, a scale bar and a legend."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from birdview.pixels.encoding import Encoding
from birdview.view.picture import Colour, find_affine

BACKGROUND, TEXT, MUTED = (11, 14, 19), (227, 232, 239), (152, 164, 181)
"""Colours beside pictures, and of text: red, green, blue."""
GAP = 8
"""Pixels beside and below pictures, and around the entries of a legend."""
_LENGTHS = [digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5)]
"""Metres that a scale bar may have."""
_LONGEST = 0.2
"""The longest scale bar, as a share of the width of the picture."""
_SHIFT = 4  # OpenCV takes positions as integers, in units of 1/2**4 pixels


class Entry(NamedTuple):
    """An entry of a legend.

    Attributes
    ----------
    text : str
    width : int
        Pixels of what is drawn in front of the text.
    draw : function
        Draws it in a box: an ndarray of uint8, shape (size, width, 3).
    """

    text: str
    width: int
    draw: Callable[[NDArray[np.uint8]], object]


def put_text(
    picture: NDArray[np.uint8],
    text: str,
    origin: tuple[int, int],
    size: int,
    colour: Colour,
    width: int,
) -> None:
    """Write a line of text on a picture; keep the end of a text that is too long.

    `origin` is the (x, y) of the text's lower left corner, in pixels.
    """
    while measure_text(text, size) > width and len(text) > 2:
        text = f"…{text[2:]}"
    cv2.putText(picture, text, origin, colour, cv2.FontFace(), size)


def measure_text(text: str, size: int) -> int:
    """Return the width of a line of text in pixels."""
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace(), size)
    return width


def to_fixed(positions: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return positions (row, col) as the (x, y) in fixed point that OpenCV draws at.

    OpenCV's (0, 0) is the middle of the first pixel; ours is its corner.
    """
    return np.rint((positions[..., ::-1] - 0.5) * 2**_SHIFT).astype(np.int32)


def draw_lines(
    picture: NDArray[np.uint8],
    positions: NDArray[np.float64],
    colour: Colour,
    thickness: int,
    *,
    closed: bool = False,
) -> None:
    """Draw a line through positions (row, col), shape (N, 2), on a picture."""
    points = [to_fixed(positions)]
    cv2.polylines(picture, points, closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def fill(mask: NDArray[np.uint8], positions: NDArray[np.float64]) -> None:
    """Set a mask to 1 in the convex polygon with corners (row, col), shape (N, 2)."""
    cv2.fillConvexPoly(mask, to_fixed(positions), 1, cv2.LINE_8, _SHIFT)


def draw_sensor(picture: NDArray[np.uint8], encoding: Encoding, size: int) -> None:
    """Draw where the sensor is, with an arrow in the direction of travel.

    Nothing is drawn if the sensor is outside of the picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
        As made by `birdview.view.picture.make_picture`.
    encoding : Encoding
    size : int
        Of the text on the picture, in pixels.
    """
    height, width, _ = picture.shape
    row, col = find_affine(encoding, (height, width))[:, 2]
    if 0 <= row <= height and 0 <= col <= width:
        _draw_arrow(picture, (row, col), size)


def _draw_arrow(
    picture: NDArray[np.uint8], place: tuple[float, float], size: int
) -> None:
    """Draw a dot at a position (row, col), and an arrow that leads up from it."""
    thickness = max(1, size // 10)
    length, tip = 2.5 * size, 0.5 * size
    arrow = place + np.array([[0, 0], [-length, 0]])
    head = place + np.array([[tip - length, -tip], [-length, 0], [tip - length, tip]])
    radius = round(size / 4 * 2**_SHIFT)
    for colour, wider in (BACKGROUND, 2), (TEXT, 0):  # seen on any pixels
        for line in (arrow, head):
            draw_lines(picture, line, colour, thickness + wider)
        middle = to_fixed(np.array(place)).tolist()
        more = wider * 2 ** (_SHIFT - 1)
        cv2.circle(picture, middle, radius + more, colour, -1, cv2.LINE_AA, _SHIFT)


def explain_sensor(size: int, text: str = "sensor, forward is up") -> Entry:
    """Return the entry of a legend for what `draw_sensor` draws."""

    def draw(box: NDArray[np.uint8]) -> None:
        height, width, _ = box.shape
        _draw_arrow(box, (height - size / 5, width / 2), size // 3)

    return Entry(text, size, draw)


def explain_scale(pixels_per_metre: float, width: int) -> Entry:
    """Return a scale bar as the entry of a legend below a picture of some width."""
    longest = max(_LONGEST * width / pixels_per_metre, _LENGTHS[0])
    length = max(metres for metres in _LENGTHS if metres <= longest)

    def draw(box: NDArray[np.uint8]) -> None:
        height, _, _ = box.shape
        top, bottom, middle = height // 4, height - height // 4, height // 2
        thickness = max(1, height // 10)
        box[middle : middle + thickness] = TEXT
        box[top:bottom, :thickness] = box[top:bottom, -thickness:] = TEXT

    return Entry(f"{length:g} m", max(1, round(length * pixels_per_metre)), draw)


def explain_colour(text: str, colour: Colour, size: int) -> Entry:
    """Return the entry of a legend for a colour."""

    def draw(box: NDArray[np.uint8]) -> None:
        box[:] = colour

    return Entry(text, size, draw)


def draw_legend(entries: Iterable[Entry], width: int, size: int) -> NDArray[np.uint8]:
    """Draw entries side by side, in as many lines as they need.

    Parameters
    ----------
    entries : iterable of Entry
    width : int
        Pixels of the legend.
    size : int
        Of its text, in pixels.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        The height is a multiple of `measure_line`.
    """
    height = measure_line(size)
    lines = [np.full((height, width, 3), BACKGROUND, dtype=np.uint8)]
    left, top = GAP, (height - size) // 2
    for entry in entries:
        space = entry.width + GAP
        needed = space + measure_text(entry.text, size)
        if left > GAP and left + needed > width - GAP:
            lines.append(np.full_like(lines[0], BACKGROUND))
            left = GAP
        box = lines[-1][top : top + size, left : left + entry.width]
        entry.draw(box)
        origin = left + space, top + size - size // 6
        put_text(lines[-1], entry.text, origin, size, TEXT, width - left - space)
        left += needed + 2 * GAP
    return np.vstack(lines)


def measure_line(size: int) -> int:
    """Return the height of a line of a legend in pixels."""
    return size * 12 // 7
