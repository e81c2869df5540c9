"""axe-core in a page: what keeps people from reading or using it."""

from __future__ import annotations

from typing import Any

GRAVE = ("serious", "critical")


def grave_violations(page: Any) -> list[str]:
    """The serious and critical violations of axe-core's rules (WCAG 2.1 A and AA among them): rule, and where it is broken."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((results) => results.violations)")
    return [
        f"{one['id']}: {node['target']} {node['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
