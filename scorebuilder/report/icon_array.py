"""A hundred patients, those with the event marked: a drawing that needs no library."""

from __future__ import annotations

SIDE, GAP = 12, 4
FILLED, EMPTY, EDGE = "#b34700", "#ffffff", "#5b6673"


def natural_frequency(risk: float) -> tuple[int, int]:
    """
    Turn a risk into a count of patients.

    Parameters
    ----------
    risk : float
        In [0, 1].

    Returns
    -------
    count, size : int
        Of 100 patients, or of 1,000 where that would be less than one of 100.

    Examples
    --------
    >>> natural_frequency(0.184), natural_frequency(0.0042)
    ((18, 100), (4, 1000))
    """
    size = 100 if risk >= 0.01 else 1000
    return round(size * risk), size


def icon_array(count: int, size: int) -> tuple[str, int, int]:
    """
    Draw patients as circles, those with the event filled.

    Parameters
    ----------
    count, size : int
        Patients with the event, and all of them.

    Returns
    -------
    svg : str
        The drawing.
    width, height : int
        CSS pixels.
    """
    side, gap = (SIDE, GAP) if size <= 100 else (SIDE // 3, GAP // 4)
    across = 10 if size <= 100 else 40
    pitch = side + gap
    width, height = across * pitch, -(-size // across) * pitch
    radius = side / 2 - 0.5
    dots = [
        f'<circle cx="{k % across * pitch + pitch / 2:g}" cy="{k // across * pitch + pitch / 2:g}"'
        f' r="{radius:g}" fill="{FILLED if k < count else EMPTY}"/>'
        for k in range(size)
    ]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"><g stroke="{EDGE}" stroke-width="0.8">'
        f"{''.join(dots)}</g></svg>"
    )
    return svg, width, height
