"""What the docs site's made pages say is what the code, the recipes and the records have."""

from __future__ import annotations

import re

import pytest

from experiments import ROOT, recipes
from experiments.command_line.declared import tasks
from experiments.lectures import rows
from experiments.reports.wording import command
from experiments.showing.claims import records
from scripts.docsite import api, error_rates, results
from scripts.docsite.roles import plain_names


@pytest.mark.parametrize("case", error_rates.CASES, ids=lambda case: f"{case.truth}, {case.claim}")
@pytest.mark.parametrize("seeds", error_rates.SEEDS)
def test_a_simulated_verdict_is_wrong_in_few_studies(case: error_rates.Case, seeds: int) -> None:
    # 2.5 %, and three standard errors of it.
    assert error_rates.rate(case, seeds) <= 0.025 + 3 * (0.025 * 0.975 / error_rates.REPETITIONS) ** 0.5


def test_the_intervals_hold_the_truth() -> None:
    assert all(0.935 <= error_rates.coverage(seeds) <= 0.965 for seeds in error_rates.SEEDS)


def test_every_claim_has_a_page_and_stands_in_the_list() -> None:
    found = results.pages()
    assert set(found) == {"results/index.md", *(f"results/{id_}.md" for id_ in rows())}
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| .* \| . ([a-z ]+) \|", found["results/index.md"], re.MULTILINE)
    assert sorted(id_ for id_, _ in listed) == sorted(rows())
    for id_, level in listed:
        record = records().get(id_)
        assert level == (record.level if record else "not run")
        page = found[f"results/{id_}.md"]
        assert f"{level}**" in page
        assert not record or command(record.name, record.scale) in page


def test_every_export_has_its_section_in_the_api() -> None:
    text = "\n".join(api.pages().values())
    sections = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    assert len(sections) == len(set(sections))
    for package in ("datamodules", "lightning_modules", "lightning_modules.networks"):
        assert {f"{module}.{name}" for name, module in api.exported(package).items()} <= set(sections)
    for section in sections:
        module, _, name = section.rpartition(".")
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert re.search(rf"^(?:class|def|async def) {name}\b", source, re.MULTILINE), section


def test_a_role_of_sphinx_is_shown_as_code() -> None:
    assert plain_names("see :class:`~a.b.C` and :meth:`.losses`, ``x``") == "see `a.b.C` and `losses`, ``x``"


@pytest.mark.slow
def test_every_task_has_a_page_with_its_recipes() -> None:
    from scripts.docsite import tasks as made

    found = made.pages()
    assert set(found) == {"tasks/index.md", *(f"tasks/{name}.md" for name in tasks())}
    shown = {recipe for page in found.values() for recipe in re.findall(r"^\| `(\w+/\w+)` \|", page, re.MULTILINE)}
    assert shown == set(recipes.names())
    assert "`cross_entropy`" in found["tasks/Segmentation.md"] and "`val/miou`" in found["tasks/Segmentation.md"]
    assert made.recipes_of_claims()["F14"].startswith("segmentation/")
