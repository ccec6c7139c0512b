"""Inline SVG in plain code: elements whose every text and attribute is escaped, and the scales charts need."""

from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

from hitl.visible import visible

Attribute = str | int | float


@dataclass(frozen=True, slots=True)
class Svg:
    """Finished markup. A template with autoescape prints it as it is, since it says so itself."""

    markup: str

    def __html__(self) -> str:
        return self.markup


def element(name: str, *children: Svg | str, **attributes: Attribute) -> Svg:
    """The element `name`; `class_` and `text_anchor` are spelled as Python must spell class and text-anchor.

    >>> element("text", "a < b", x=1.50, class_="tick").markup
    '<text x="1.5" class="tick">a &lt; b</text>'
    """
    spelled = "".join(f' {_name(key)}="{_value(value)}"' for key, value in attributes.items())
    inner = "".join(child.markup if isinstance(child, Svg) else escape(visible(child)) for child in children)
    return Svg(f"<{name}{spelled}>{inner}</{name}>" if children else f"<{name}{spelled}/>")


def drawing(*children: Svg, width: int, height: int, title: str, class_: str) -> Svg:
    """A drawing of `width` x `height` units that grows with its page, read out as `title`."""
    box = f"0 0 {width} {height}"
    return element(
        "svg", *children, xmlns="http://www.w3.org/2000/svg", viewBox=box, role="img", aria_label=title, class_=class_
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """The straight line that takes `low`..`high` of the data to `start`..`end` of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, wanted: int) -> tuple[float, ...]:
    """About `wanted` round numbers (1, 2 or 5 times a power of ten apart) from `low` to `high`, both within them.

    >>> ticks(0.62, 0.97, 4)
    (0.6, 0.7, 0.8, 0.9, 1.0)
    """
    if not (isfinite(low) and isfinite(high)) or high <= low:
        return (low,)
    rough = (high - low) / max(wanted, 1)
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: Attribute) -> str:
    return f"{round(value, 2):g}" if isinstance(value, float) else escape(visible(str(value)))
