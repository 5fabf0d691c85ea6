"""Colours of CSS and of HTML's attributes, and how well text can be read on a background (WCAG 2 contrast)."""

from __future__ import annotations

import re
from colorsys import hls_to_rgb
from functools import lru_cache

#: Red, green and blue from 0 to 255, opacity from 0 to 1.
Colour = tuple[float, float, float, float]

_HEX = re.compile(r"#?([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})")
_FUNCTION = re.compile(r"rgba?\(\s*([\d.%\s,/]{5,60})\)")
_HSL = re.compile(
    r"hsla?\(\s*([\d.]{1,10})(?:deg)?[\s,]+([\d.]{1,10})%[\s,]+([\d.]{1,10})%[\s,/]*([\d.]{1,10}%?)?\s*\)"
)
_IN_GRADIENT = re.compile(
    r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^()]{5,60}\)|(?<![\w-])[a-z]{3,20}(?![\w(-])", re.IGNORECASE
)
_NAMED = (
    "aliceblue:f0f8ff antiquewhite:faebd7 aqua:00ffff aquamarine:7fffd4 azure:f0ffff beige:f5f5dc bisque:ffe4c4 "
    "black:000000 blanchedalmond:ffebcd blue:0000ff blueviolet:8a2be2 brown:a52a2a burlywood:deb887 "
    "cadetblue:5f9ea0 chartreuse:7fff00 chocolate:d2691e coral:ff7f50 cornflowerblue:6495ed cornsilk:fff8dc "
    "crimson:dc143c cyan:00ffff darkblue:00008b darkcyan:008b8b darkgoldenrod:b8860b darkgray:a9a9a9 "
    "darkgreen:006400 darkgrey:a9a9a9 darkkhaki:bdb76b darkmagenta:8b008b darkolivegreen:556b2f "
    "darkorange:ff8c00 darkorchid:9932cc darkred:8b0000 darksalmon:e9967a darkseagreen:8fbc8f "
    "darkslateblue:483d8b darkslategray:2f4f4f darkslategrey:2f4f4f darkturquoise:00ced1 darkviolet:9400d3 "
    "deeppink:ff1493 deepskyblue:00bfff dimgray:696969 dimgrey:696969 dodgerblue:1e90ff firebrick:b22222 "
    "floralwhite:fffaf0 forestgreen:228b22 fuchsia:ff00ff gainsboro:dcdcdc ghostwhite:f8f8ff gold:ffd700 "
    "goldenrod:daa520 gray:808080 green:008000 greenyellow:adff2f grey:808080 honeydew:f0fff0 hotpink:ff69b4 "
    "indianred:cd5c5c indigo:4b0082 ivory:fffff0 khaki:f0e68c lavender:e6e6fa lavenderblush:fff0f5 "
    "lawngreen:7cfc00 lemonchiffon:fffacd lightblue:add8e6 lightcoral:f08080 lightcyan:e0ffff "
    "lightgoldenrodyellow:fafad2 lightgray:d3d3d3 lightgreen:90ee90 lightgrey:d3d3d3 lightpink:ffb6c1 "
    "lightsalmon:ffa07a lightseagreen:20b2aa lightskyblue:87cefa lightslategray:778899 lightslategrey:778899 "
    "lightsteelblue:b0c4de lightyellow:ffffe0 lime:00ff00 limegreen:32cd32 linen:faf0e6 magenta:ff00ff "
    "maroon:800000 mediumaquamarine:66cdaa mediumblue:0000cd mediumorchid:ba55d3 mediumpurple:9370db "
    "mediumseagreen:3cb371 mediumslateblue:7b68ee mediumspringgreen:00fa9a mediumturquoise:48d1cc "
    "mediumvioletred:c71585 midnightblue:191970 mintcream:f5fffa mistyrose:ffe4e1 moccasin:ffe4b5 "
    "navajowhite:ffdead navy:000080 oldlace:fdf5e6 olive:808000 olivedrab:6b8e23 orange:ffa500 "
    "orangered:ff4500 orchid:da70d6 palegoldenrod:eee8aa palegreen:98fb98 paleturquoise:afeeee "
    "palevioletred:db7093 papayawhip:ffefd5 peachpuff:ffdab9 peru:cd853f pink:ffc0cb plum:dda0dd "
    "powderblue:b0e0e6 purple:800080 rebeccapurple:663399 red:ff0000 rosybrown:bc8f8f royalblue:4169e1 "
    "saddlebrown:8b4513 salmon:fa8072 sandybrown:f4a460 seagreen:2e8b57 seashell:fff5ee sienna:a0522d "
    "silver:c0c0c0 skyblue:87ceeb slateblue:6a5acd slategray:708090 slategrey:708090 snow:fffafa "
    "springgreen:00ff7f steelblue:4682b4 tan:d2b48c teal:008080 thistle:d8bfd8 tomato:ff6347 turquoise:40e0d0 "
    "violet:ee82ee wheat:f5deb3 white:ffffff whitesmoke:f5f5f5 yellow:ffff00 yellowgreen:9acd32 "
    "transparent:00000000"
)
_NAMES: dict[str, str] = dict(pair.split(":") for pair in _NAMED.split())


@lru_cache(maxsize=4096)
def colour(value: str) -> Colour | None:
    """A colour from a name, `#rgb`, `#rrggbb` (attributes omit the #), `rgb()` or `hsl()`. None for anything else."""
    value = value.lower().replace("!important", "").strip()
    value = _NAMES.get(value, value)
    if match := _HEX.fullmatch(value):
        digits = match[1] if len(match[1]) > 4 else "".join(2 * digit for digit in match[1])
        red, green, blue, opacity = (int(digits[at : at + 2] or "ff", 16) for at in (0, 2, 4, 6))
        return red, green, blue, opacity / 255
    if match := _FUNCTION.fullmatch(value):
        return _from_function(match[1])
    if match := _HSL.fullmatch(value):
        return _from_hsl(*match.groups())
    return None


def first_of_gradient(value: str) -> str:
    """The first colour of `linear-gradient(#000, navy)` and the like, as written; empty if there is no gradient."""
    _, mark, stops = value[:2_000].partition("gradient(")
    found = _IN_GRADIENT.findall(stops) if mark else ()
    return next(filter(colour, found), "")


@lru_cache(maxsize=4096)
def contrast(text: Colour, background: Colour) -> float:
    """From 1 (invisible) to 21. Ignores opacity."""
    light, dark = sorted((_luminance(text), _luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _from_function(arguments: str) -> Colour | None:
    words = arguments.replace(",", " ").replace("/", " ").split()
    try:
        numbers = [float(word[:-1]) / 100 if word.endswith("%") else float(word) for word in words]
    except ValueError:
        return None
    if len(numbers) not in (3, 4):
        return None
    scale = [255.0 if word.endswith("%") else 1.0 for word in words[:3]]
    red, green, blue = (min(number * by, 255.0) for number, by in zip(numbers, scale, strict=False))
    return red, green, blue, min(numbers[3], 1.0) if len(numbers) == 4 else 1.0


def _from_hsl(hue: str, saturation: str, lightness: str, opacity: str | None) -> Colour | None:
    try:
        parts = [float(hue) / 360 % 1, float(lightness) / 100, float(saturation) / 100]
        alpha = float(opacity.rstrip("%")) / (100 if opacity.endswith("%") else 1) if opacity else 1.0
    except ValueError:
        return None
    red, green, blue = hls_to_rgb(parts[0], min(parts[1], 1.0), min(parts[2], 1.0))
    return 255 * red, 255 * green, 255 * blue, min(alpha, 1.0)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        (part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4) for part in colour[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
