"""The gallery as a page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem }
body { background: #f3f3f5; color: #222 }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem }
figure { margin: 0; padding: .5rem; background: #fff; border: 1px solid #ddd; border-radius: 6px }
figure p { aspect-ratio: 7 / 5; margin: 0; text-align: center; color: #999 }
img { display: block; width: 100%; aspect-ratio: 7 / 5; object-fit: contain }
figcaption { color: #666; font-size: .85rem; padding: 0 .5rem }
"""


def page(images: Mapping[str, str | None]) -> str:
    """`images`: their addresses by name; None: it is not drawn yet. While some are missing, the page looks again."""
    missing = sum(address is None for address in images.values())
    figures = "\n".join(_figure(name, address) for name, address in images.items())
    again = '<meta http-equiv="refresh" content="2">' if missing else ""
    waits = f"<p>{missing} of {len(images)} are still to be drawn.</p>" if missing else ""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">{again}
<title>Charts</title><style>{_STYLE}</style>
<h1>Charts</h1>{waits}
<main>
{figures}
</main></html>
"""


def _figure(name: str, address: str | None) -> str:
    image = "<p>…</p>" if address is None else f'<img src="{escape(address)}" alt="{escape(name)}">'
    return f"<figure>{image}<figcaption>{escape(name)}</figcaption></figure>"
