"""Matplotlib's drawings as inline SVG that takes its colours from the page."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PX = 1 / 72
"""Inches in a pixel of the drawing: Matplotlib's SVG has 72 to the inch."""
FONT_PX = 11.5
# Colours that stand for the page's, which differ in light and dark.
INK, MUTED, LINE, PAPER = "#000001", "#000002", "#000003", "#000004"
SAME, DIFFERENT, REST, ACCENT = "#000005", "#000006", "#000007", "#000008"
SERIES = tuple(f"#0000{place:02x}" for place in range(0x10, 0x17))
_VARIABLES = {
    INK: "--text", MUTED: "--muted", LINE: "--line", PAPER: "--surface",
    SAME: "--same", DIFFERENT: "--different", REST: "--rest", ACCENT: "--accent",
    **{colour: f"--c{place}" for place, colour in enumerate(SERIES)},
}  # fmt: skip
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.8)), (0, (7, 2, 1.5, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HALO = "halo"
"""Group id of texts that get an outline in the page's colour, so that they stay legible."""
_FORM: Any = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
    "svg.hashsalt": "sightings",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": FONT_PX,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": FONT_PX + 0.5,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "lines.linewidth": 1.8,
}


def dash(place: int) -> Any:
    """Return the line style of a series, as Matplotlib takes it."""
    return DASHES[place % len(DASHES)]


@contextmanager
def drawn_in_our_form() -> Iterator[None]:
    """Give Matplotlib the report's form for the time of the block."""
    from matplotlib import rc_context

    with rc_context(_FORM), warnings.catch_warnings():
        # Texts stay text: the browser has the letters that Matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_drawing(width_px: float, height_px: float) -> tuple[Figure, Axes]:
    """Return a figure that is part of no global state, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_px * PX, height_px * PX), layout="constrained")
    return figure, figure.subplots()


def inline_svg(figure: Figure, key: str, description: str) -> str:
    """Return a drawing as an SVG element for an HTML page.

    key: makes its ids the only ones of the page. description: what screen readers say of it. What
    comes back is markup; all text in it is escaped.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(stream.getvalue())
    for parent in root.iter():
        for child in [each for each in parent if each.tag.endswith(("}metadata", "}title"))]:
            parent.remove(child)
    for element in root.iter():
        _rewrite(element, key)
    root.attrib.pop("version", None)
    root.attrib |= {"role": "img", "aria-label": description}
    return ElementTree.tostring(root, encoding="unicode", method="html")


def _rewrite(element: Any, key: str) -> None:
    """Take namespaces away, as HTML has none, and put in the page's colours and own ids."""
    element.tag = element.tag.rpartition("}")[2]
    for name in list(element.attrib):
        value = element.attrib.pop(name)
        name = name.rpartition("}")[2]  # noqa: PLW2901
        if name == "id":
            value = f"{key}-{value}"
            if element.tag == "g" and HALO in value:
                element.attrib["class"] = HALO
        elif name == "href" and value.startswith("#"):
            value = f"#{key}-{value[1:]}"
        elif "url(#" in value:
            value = value.replace("url(#", f"url(#{key}-")
        if name == "style":
            for colour, variable in _VARIABLES.items():
                value = value.replace(colour, f"var({variable})")
            value = value.replace("'DejaVu Sans', ", "")
        element.attrib[name] = value
    if element.tag in ("g", "text", "path") and not _is_referred_to(element):
        element.attrib.pop("id", None)


def _is_referred_to(element: Any) -> bool:
    """Tell whether it may be used elsewhere: markers are, groups and texts never."""
    return bool(element.tag == "path")


def dash_array(place: int) -> str:
    """Return the line style of a series as SVG's stroke-dasharray, for legends on the page."""
    style = dash(place)
    return "" if style == "-" else " ".join(f"{length * 1.8:g}" for length in style[1])
