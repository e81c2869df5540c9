"""From Matplotlib's SVG to one that stands in a page: smaller, with its words, in the page's colour and font."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

_GONE = (r"<\?xml.*?\?>", r"<!DOCTYPE.*?>", r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<defs>\s*<style.*?</style>\s*</defs>")
"""What a page has no use for. The style is that of every element of a page, not of this picture's alone."""


def trimmed(svg: str, says: str, ink: str, box: str) -> str:
    """The SVG as a page takes it in: its view is ``box``, and what is drawn in the colour ``ink`` has the page's own."""
    for pattern in _GONE:
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))

    def tag(found: re.Match[str]) -> str:
        """A tag without names that nobody uses, its numbers to a hundredth; what a text says stays as it is."""
        inside = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", found[0])
        inside = re.sub(r"-?\d+\.\d{3,}", lambda digits: f"{float(digits[0]):.2f}".rstrip("0").rstrip("."), inside)
        inside = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", inside)
        return re.sub(r"\s*\n\s*", "\n", inside).replace(ink, "currentColor")

    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label={quoteattr(says)} viewBox="{box}" style="stroke-linejoin: round; color: inherit">'
    )
    svg = re.sub(r"<svg[^>]*>", lambda _: head, re.sub(r"<[^>]*>", tag, svg), count=1)
    return re.sub(r">\s*\n\s*<", ">\n<", svg).strip()
