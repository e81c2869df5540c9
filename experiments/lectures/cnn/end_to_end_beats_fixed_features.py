"""A net that learns its features end to end has the lower test error than fixed ones: made by hand (HOG), or left at random.

Deck “CNN, R-CNN”, slides “Traditional Pattern Recognition” (fixed, hand-made features and a trained classifier) and “Deep
Learning”; Dalal & Triggs 2005, Jarrett et al. 2009 (random filters). The control is the same net, trained as long on labels
that mean nothing.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Effect, Needs, Part

from ._hand_features import ERROR, HOG, LEARNED, OWN, PHOTOGRAPHS, RANDOM, SHUFFLED, HandStudy, named, variants

SAYS = "End-to-end learning (no human intervention / no fixed features)"
AHEAD = Needs(low=5, margin=1)
"""Points of test error, of the row's own."""
CHANCE = {PHOTOGRAPHS: 9 / 10, None: 5 / 6}
"""Error of one guess among ten classes, or six."""
ARMS = (HOG, RANDOM, SHUFFLED, LEARNED)


def parts(runs: Runs) -> dict[str, Part]:
    """Read by the same linear SVM, of photographs (a) and of drawn scenes (b). Reproduced: the features of the net that was
    trained end to end have a test error at least 5 points lower than HOG's and than those of the same net left at random; as a
    condition, than those of the same net trained on shuffled labels too. Direction only: it is lower."""
    return {key: part(runs, root) for key, root in zip("ab", CHANCE, strict=True)}


def part(runs: Runs, root: str | None) -> Part:
    def ahead(other: str, needs: Needs | None = None) -> Effect:
        return runs.difference(f"test error, {other} − end to end", named(other, root), learned, ERROR, needs=needs)

    learned = named(LEARNED, root)
    errors = {arm: runs.quantity(f"test error, {arm}", named(arm, root), ERROR, scale=100, unit="%") for arm in ARMS}
    own = runs.quantity("test error of the net's own output", learned, OWN, scale=100, unit="%")
    return Part(
        says=SAYS if root else f"{SAYS}: drawn scenes",
        effects=(ahead(HOG, AHEAD), ahead(RANDOM, AHEAD)),
        conditions=(ahead(SHUFFLED, AHEAD),),
        validity_checks=(runs.beats(ERROR, CHANCE[root], greater=False, variants=[named(HOG, root)]),),
        shown=(*errors.values(), own),
        because=f"The linear SVM has {errors[HOG].estimate:.0f} % wrong on HOG, {errors[RANDOM].estimate:.0f} % on a random "
        f"net's features, {errors[SHUFFLED].estimate:.0f} % on those of a net trained on shuffled labels, and "
        f"{errors[LEARNED].estimate:.0f} % on those learned end to end.",
    )


study = HandStudy(
    claim="A01",
    says=SAYS,
    slide="Traditional Pattern Recognition; Deep Learning",
    paper="No figure in the lecture. ImageNet, top-5 error: 25.8 % with features made by hand (2011), 16.4 % by AlexNet.",
    variants={**variants(ARMS, None), **variants(ARMS, PHOTOGRAPHS)},
    parts=parts,
)
