"""The report of all studies: complete, self-contained, and safe with whatever names it finds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.lectures import rows
from experiments.reports import html as lecture_page
from experiments.reports.overview import counts, records_at
from experiments.reports.write import write_reports
from experiments.studies.verdict import Level
from tests.support.html_words import read
from tests.support.made_up_runs import write_exact, write_study

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}
HOSTILE = "<script>alert(1)</script>"


def test_a_claim_is_shown_with_all_that_its_verdict_rests_on(tmp_path: Path) -> None:
    write_study(tmp_path, VARIANTS, pictures=["filters"], erratum="The slide swaps two axes.")
    write_exact(tmp_path)
    paths = write_reports(tmp_path, "cpu")
    page = read(paths["page"])
    both = re.sub(r"[ \n]+", " ", " ".join(page.words)), paths["report"].read_text(encoding="utf-8").replace("\\", "")
    for shown in both:
        for said in (
            "Plain net: simply stacking layers",  # the lecture's sentence,
            "slide “Plain net”",  # where it stands,
            "plain-110 above 60 %",  # the paper's figure,
            "reproduced",  # the verdict,
            "42 points higher",  # its reason,
            "42.3 points",  # the effect,
            "38 to 47",  # its interval,
            "seed 0: 42, seed 1: 38, seed 2: 47",  # every seed,
            "direction only, were it 3.5 points less",  # what would change its mind,
            "Reproduced: the training error of 56 layers is higher.",  # the rule,
            "Shapes: train 4\u202f000, test 1\u202f000",  # the data,
            "3 seeds judged, 0 to 2",
            "10 CPU-minutes",  # what it cost,
            "Made-up 1000",  # the processor,
            "torch 2.14.1",
            "seeds draw new scenes",  # what was changed after a run,
            "shared learning rate",  # the shared-lr baseline beside it,
            "lies inside its grid",  # the validity checks,
            "width 8 in place of 16",  # the deviations,
            "The slide swaps two axes.",  # the erratum,
            "0.0316: 0.4",  # what was tried in tuning,
            "lectern reproduce plain_nets_degrade",  # and how to make it again.
            "1\u202f600\u202f000\u202f000",
            "about 2 billion" if shown == both[0] else "weights",
        ):
            assert said in shown, said
    assert page.tags.count("img") == 2  # the picture of each variant
    assert len(re.findall("data-figure=", paths["page"].read_text())) == 4  # effects, curves, variants, speed
    assert "filters.png" in both[1]


def test_a_claim_that_was_not_run_counts_and_says_how_to_run_it(tmp_path: Path) -> None:
    write_exact(tmp_path)
    found = counts(records_at(tmp_path, "cpu"))
    assert found[Level.EXACT] == 1
    assert found[Level.NOT_RUN] == len(rows()) - 1
    shown = " ".join(read(write_reports(tmp_path, "cpu")["page"]).words)
    assert all(row.id in shown for row in rows().values())
    assert "lectern reproduce plain_nets_degrade" in shown


def test_an_exact_verdict_holds_at_every_scale(tmp_path: Path) -> None:
    write_exact(tmp_path)
    write_study(tmp_path, VARIANTS, scale="cpu")
    assert [r.claim for r in records_at(tmp_path, "gpu")] == ["B03"]


def test_the_page_asks_no_other_machine_for_anything(tmp_path: Path) -> None:
    write_study(tmp_path, VARIANTS, pictures=["filters"])
    page = read(write_reports(tmp_path, "cpu")["page"])
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert "link" not in page.tags and "iframe" not in page.tags


def test_no_text_of_a_record_becomes_a_tag(tmp_path: Path) -> None:
    harmless = write_reports(tmp_path / "a", "cpu") if write_study(tmp_path / "a", VARIANTS, pictures=["x"]) else {}
    hostile = {HOSTILE: [0.62, 0.60], '"><img src=http://evil.example/x onerror=alert(1)>': [0.2, 0.22]}
    texts = dict.fromkeys(("title", "says", "slide", "paper", "erratum", "because", "device", "commit", "controlled"), HOSTILE)
    write_study(tmp_path / "b", hostile, pictures=["@@picture-0@@"], deviations=[HOSTILE], also=[HOSTILE], **texts)
    page = read(write_reports(tmp_path / "b", "cpu")["page"])
    assert page.tags.count("script") == read(harmless["page"]).tags.count("script") == 3
    assert page.tags.count("img") == 2
    assert not any("evil" in address for address in page.addresses)
    assert any(HOSTILE in word for word in page.words)
    markdown = (tmp_path / "b" / "lectures" / "report-cpu.md").read_text()
    assert "<script" not in markdown.replace("\\<script", "")


def test_runs_that_are_gone_leave_the_verdict(tmp_path: Path) -> None:
    import shutil

    verdict = write_study(tmp_path, VARIANTS)
    for folder in verdict.parent.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    paths = write_reports(tmp_path, "cpu")
    assert "are gone" in paths["report"].read_text()
    assert "42.3 points" in " ".join(read(paths["page"]).words)


def test_nothing_outside_the_run_folder_is_read(tmp_path: Path) -> None:
    outside = write_study(tmp_path / "elsewhere", VARIANTS, pictures=["secret"]).parent
    verdict = write_study(tmp_path / "runs", VARIANTS)
    inside = next(path for path in sorted(verdict.parent.iterdir()) if path.name.startswith("plain-56"))
    (inside / "pictures").symlink_to(next(outside.glob("*/pictures")))
    text = verdict.read_text()
    names = [path.name for path in verdict.parent.iterdir() if path.name.startswith("plain-20") and "seed0" in path.name]
    away = next(path for path in outside.iterdir() if path.name.startswith("plain-20") and "seed0" in path.name)
    verdict.write_text(
        text.replace(f"lectures/cnn/plain_nets_degrade/{names[0]}", f"../elsewhere/{away.relative_to(outside.parents[2])}")
    )
    page = read(write_reports(tmp_path / "runs", "cpu")["page"])
    assert "img" not in page.tags


def test_pictures_are_made_smaller_until_the_file_is_within_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path, VARIANTS)
    large = write_reports(tmp_path, "cpu")["page"].stat().st_size
    for folder in (tmp_path / "lectures/cnn/plain_nets_degrade").glob("plain-*-seed0-*"):
        (folder / "pictures").mkdir()
        noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
        for i in range(3):
            Image.fromarray(noise).save(folder / "pictures" / f"noise_{i}.png")
        (folder / "pictures" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    monkeypatch.setattr(lecture_page, "LIMIT", large + 120_000)
    page = write_reports(tmp_path, "cpu")["page"]
    assert page.stat().st_size <= large + 120_000
    shown = read(page)
    assert 0 < shown.tags.count("img") <= 6
    assert any("damaged" in word for word in shown.words)
    assert page.stat().st_size < 5_000_000
