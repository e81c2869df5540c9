"""What MkDocs asks for while it builds the site: pages made of code and records, links, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from plotly.offline import get_plotlyjs
from pymdownx.slugs import slugify  # type: ignore[import-untyped]

from experiments import ROOT
from scripts.docsite import api, drawn, error_rates, results, tasks
from scripts.docsite.links import TOP, site_links

LATER = ("dashboard.md", "onnx.md", "sweeps.md")
"""Pages of the navigation that a branch may not have."""
HERE = Path(__file__).parent


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Anchors as GitHub makes them, and a navigation that names every page of ``docs/`` there is, and no other."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    docs = Path(config.docs_dir)
    config.nav = _without([page for page in LATER if not (docs / page).exists()], config.nav)
    named = str(config.nav)
    if more := [page.name for page in sorted(docs.glob("*.md")) if f"'{page.name}'" not in named]:
        config.nav = [*config.nav, {"More": more}]
    return config


def _without(absent: list[str], nav: Any) -> Any:
    if isinstance(nav, list):
        return [_without(absent, entry) for entry in nav if entry not in absent]
    return {title: _without(absent, entry) for title, entry in nav.items()} if isinstance(nav, dict) else nav


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is made when the site is built."""
    for path, content in generated().items():
        files.append(File.generated(config, path, content=content))
    return files


def generated() -> dict[str, str | bytes]:
    """All pages and assets that are made and not written, by their path on the site."""
    found: dict[str, str | bytes] = {site: (ROOT / place).read_text(encoding="utf-8") for place, site in TOP.items()}
    for asset in (HERE / "assets").iterdir():
        found[f"assets/{asset.name}"] = asset.read_bytes()
    found["assets/plotly.min.js"] = get_plotlyjs()
    return found | api.pages() | tasks.pages() | results.pages() | error_rates.pages()


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    place = next((place for place, site in TOP.items() if site == page.file.src_uri), f"docs/{page.file.src_uri}")
    return site_links(markdown, place)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return drawn.filled(html)
