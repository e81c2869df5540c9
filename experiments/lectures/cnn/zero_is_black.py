"""In an image of eight bits 0 is black and 255 is white; the slide has it the other way round.

Deck “CNN, R-CNN”, slide “Convolutional Neural Network (CNN)”. PNG, third edition, section 3.1: 0 is black. A net notices.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Check, Needs, Part

from ._grey import AS_IS, INVERTED, TEST_ERROR, measure

SAYS = "픽셀 값 0 : 흰색; 픽셀 값 255 : 검정색"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Erratum: a PNG of the bytes 0 and 255 decodes to no light and to all of it, and Pillow's black is 0. b, beyond the
    lecture: reproduced if a net that was trained on digits as they are errs more on inverted ones."""

    def found(name: str) -> float:
        return runs.values(AS_IS, name)[0]

    checks = (
        Check("light of the value 0, of white's", found("of 0"), 0.0, lecture="픽셀 값 0 : 흰색 (white)", wrong=True),
        Check("light of the value 255, of white's", found("of 255"), 1.0, lecture="픽셀 값 255 : 검정색 (black)", wrong=True),
        Check("what Pillow draws for “black”", found("drawn black"), 0, lecture="픽셀 값 255 : 검정색 (black)", wrong=True),
        Check("red of CSS' “black”", found("named black"), 0, lecture="픽셀 값 255 : 검정색 (black)", wrong=True),
    )
    worse = runs.difference("test error, inverted − as it is", INVERTED, AS_IS, TEST_ERROR, needs=Needs(low=0, margin=1))
    own = [runs.quantity(f"test error, {v}", v, TEST_ERROR, scale=100, unit="%") for v in (AS_IS, INVERTED)]
    return {
        "a": Part(says=SAYS, checks=checks, because=ERRATUM),
        "b": Part(
            says="Does it matter to a net which of the two is black?",
            effects=(worse,),
            shown=tuple(own),
            validity_checks=(runs.beats(TEST_ERROR, 0.9, greater=False, variants=[AS_IS]),),
            because=f"Trained on light ink on black paper, a net errs on {own[0].estimate:.1f} % of new digits, and on "
            f"{own[1].estimate:.0f} % of the same ones inverted: a loader that mistakes 0 for white fails silently.",
            beyond=True,
        ),
    }


ERRATUM = "0 is black and 255 is white. MNIST, where ink is 255, shows light digits on black paper."

study = Study(
    claim="B02",
    says=SAYS,
    translation="Pixel value 0: white; pixel value 255: black.",
    slide="Convolutional Neural Network (CNN)",
    paper="PNG, third edition: of greyscale samples 0 is black, and the greatest value white.",
    work=Measurement(measure),
    variants={INVERTED: {"shown": INVERTED}, AS_IS: {"shown": AS_IS}},
    controlled="the net, trained on 1,000 digits as they are, and the test digits",
    deviations=("digits of 8 × 8 pixels that come with scikit-learn (UCI), in place of MNIST",),
    erratum=ERRATUM,
    parts=parts,
)
