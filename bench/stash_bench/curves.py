"""Curves of growth as SVG, with logarithmic axes: a straight rising line is growth in proportion, a level one is none."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 70, 150, 40, 40
COLOURS = ("#326ce5", "#c0392b", "#2e8b57")


def svg(title, lines):
    """`lines` is {name: [(x, y), ...]}; values of 0 are drawn at the bottom."""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points if y > 0] or [1]
    low, high = 10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys)))
    high = high if high > low else 10 * low

    def across(x):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(x / min(xs)) / math.log(max(xs) / min(xs)) if max(xs) > min(xs) else 0.5)

    def up(y):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(max(y, low) / low) / math.log(high / low)

    def text(x, y, words, anchor="middle", **more):
        extra = "".join(f' {key}="{value}"' for key, value in more.items())
        return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', text(LEFT, 20, title, "start", **{"font-weight": "bold"})]
    decade = low
    while decade <= high * 1.001:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(decade):.1f}" y2="{up(decade):.1f}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, up(decade) + 4, f"{decade:g}", "end"))
        decade *= 10
    parts += [text(across(x), HEIGHT - BOTTOM + 18, f"{x:,}") for x in sorted(set(xs))]
    for colour, (name, points) in zip(COLOURS, lines.items()):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in points:
            parts.append(f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>')
            parts.append(text(across(x), up(y) - 8, f"{y:.3g}"))
        parts.append(text(across(points[-1][0]) + 12, up(points[-1][1]) + 4, name, "start", fill=colour))
    return "\n".join([*parts, "</svg>", ""])
