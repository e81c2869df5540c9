"""What a net looks at can be made visible, and it is the object: occlusion maps point at it.

Deck "CNN, R-CNN", slide "Feature (Filter) Visualization"; Zeiler & Fergus 2014, section 4.2 and figure 7. The pointing game
(Zhang et al. 2016) makes a number of it; random weights are the control that Adebayo et al. 2018 ask for.
"""

from __future__ import annotations

from experiments.studies.effects import Effect
from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._pointing import DECONVNET, GUIDED, OCCLUSION, pointing

TRAINED, LABELS, RANDOM = "trained", "random labels", "random weights"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: the highest place of the occlusion map lies on the object's mask in 80 % of 1,000 test scenes or more, and
    with random weights in at most 5 points more than a point at the centre does; direction only: in more than the 40 % that the
    centre may have. b (beyond the lecture): with random weights guided backpropagation and the deconvnet point at the object
    more often than the centre does. The net has to be right in 75 % of the test scenes."""

    def share(variant: str, name: str, needs: Needs | None = None) -> Effect:
        return runs.quantity(f"{name}, {variant}", variant, name, scale=100, unit="%", needs=needs)

    def above_centre(name: str, needs: Needs) -> Effect:
        return runs.quantity(
            f"{name} − centre, random weights",
            RANDOM,
            lambda run: run.value(name) - run.value("centre"),
            scale=100,
            unit="points",
            needs=needs,
        )

    seen = share(TRAINED, OCCLUSION, Needs(low=80, null=40, absolute=True))
    centre = share(TRAINED, "centre")
    guided, deconv = (above_centre(name, Needs(low=0)) for name in (GUIDED, DECONVNET))
    learns = runs.beats("accuracy", 1 / 6, by=0.75 - 1 / 6, variants=[TRAINED])
    apart = ValidityCheck("a point at the centre is on the object in at most 40 % of the scenes", centre.estimate <= 40)
    others = ("Grad-CAM", "gradient", GUIDED, DECONVNET)
    return {
        "a": Part(
            says="Feature visualization of convolutional net trained on ImageNet from [Zeiler & Fergus 2013]",
            effects=(seen, above_centre(OCCLUSION, Needs(high=5))),
            shown=(
                *(share(TRAINED, name) for name in others),
                share(LABELS, OCCLUSION),
                share(RANDOM, OCCLUSION),
                centre,
                share(TRAINED, "random point"),
            ),
            validity_checks=(learns, apart),
            because=f"The square that costs the class most lies on the object in {seen.estimate:.0f} % of the "
            f"scenes; a point at the centre does in {centre.estimate:.0f} %.",
        ),
        "b": Part(
            says="Do maps of a net that has learned nothing point at the object?",
            effects=(guided, deconv),
            shown=tuple(share(RANDOM, name) for name in others),
            validity_checks=(apart,),
            because=f"With random weights guided backpropagation is {guided.estimate:+.0f} points from the centre's share and "
            f"the deconvnet {deconv.estimate:+.0f}: in part they show the image's edges, whatever was learned.",
            beyond=True,
        ),
    }


study = Study(
    claim="B13",
    says="Feature visualization of convolutional net trained on ImageNet from [Zeiler & Fergus 2013]",
    slide="Feature (Filter) Visualization",
    paper="Zeiler & Fergus 2014, figure 7: the class's probability falls where the object is hidden, in three photographs.",
    work=Measurement(pointing),
    variants={TRAINED: {"weights": "trained"}, LABELS: {"weights": "random labels"}, RANDOM: {"weights": "random"}},
    controlled="net, scenes, and the class that is explained: the true one",
    deviations=("drawn scenes of 32 × 32 pixels with one object, three convolutions", "the logit in place of the probability"),
    parts=parts,
)
