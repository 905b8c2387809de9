"""The worst and most surprising answers drawn beside their nearest training molecules; atoms that matter."""

from __future__ import annotations

from collections.abc import Sequence

from cytomol.predict.record.record_parts import Attributed, ShownMolecule
from cytomol.report.elements import Card, Cards, Element, Heading, Sentence
from cytomol.report.molecule_svg import draw_molecule
from cytomol.report.page import Section
from cytomol.report.predictor_facts import NO_EVIDENCE, NO_RECORD, PredictorFacts

__all__ = ["attribution_section", "surprise_section"]

_LONGEST = 60
_WHY = {
    "worst": "the largest errors",
    "surprising": "wrong, though a like training molecule is near",
}


def surprise_section(facts: PredictorFacts) -> Section:
    """Show the worst and the most surprising answers."""
    title = "Worst and most surprising"
    shown = () if facts.record is None else facts.record.shown
    if absent := _absent(facts, shown, "No tested molecule was answered wrong."):
        return Section(title, [absent])
    elements: list[Element] = [
        Sentence(
            "Look here first for mistakes in the table (units, signs, a wrong structure), then for "
            "chemistry that the model cannot know. Below each, the training molecules nearest to it, what "
            "was measured of them and how alike they are (Tanimoto)."
        )
    ]
    for task in dict.fromkeys(one.task for one in shown):
        for why, words in _WHY.items():
            own = [one for one in shown if one.task == task and one.why == why]
            if own:
                elements += [Heading(f"{task}: {words}"), Cards([_card(one) for one in own])]
    return Section(title, elements)


def _absent(facts: PredictorFacts, molecules: Sequence[object], none: str) -> Sentence | None:
    """Say why there are no molecules to show; None where there are."""
    if facts.record is None:
        return Sentence(NO_RECORD)
    if not facts.record.evidence:
        return Sentence(NO_EVIDENCE)
    return None if molecules else Sentence(none)


def _card(one: ShownMolecule) -> Card:
    drawings = [
        (draw_molecule(one.smiles, says=f"molecule {one.id}", size=(190, 150)), f"measured {one.measured}")
    ]
    if one.nearest:
        near = one.nearest[0]
        line = f"{near.id}, {_likeness(near.similarity)} alike: measured {near.measured}"
        drawings.append(
            (draw_molecule(near.smiles, says=f"training molecule {near.id}", size=(190, 150)), line)
        )
    interval = f" ({one.interval})" if one.interval else ""
    place = f"; {one.place} what the model knows" if one.place in {"inside", "outside"} else ""
    place = "; at the edge of what the model knows" if one.place == "edge" else place
    lines = [f"Predicted {one.predicted}{interval}{place}."]
    lines += [
        f"Next: {near.id}, {_likeness(near.similarity)} alike, measured {near.measured}."
        for near in one.nearest[1:]
    ]
    return Card(one.id[:_LONGEST], drawings, lines)


def _likeness(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def attribution_section(facts: PredictorFacts) -> Section:
    """Show which atoms some answers rest on."""
    title = "What answers rest on"
    found = () if facts.record is None else facts.record.attributed
    if absent := _absent(facts, found, "No answer of this model is explained here; cytomol explain does."):
        return Section(title, [absent])
    elements: list[Element] = [
        Sentence(
            "The highest, the middle and the lowest of the tested molecules. What the answer loses without "
            "an atom is what the atom adds: blue raises it, orange lowers it, and a larger spot is more. It "
            "says what the model looks at, not what causes the value. cytomol explain does it for any "
            "molecule."
        )
    ]
    if any(one.of_class for one in found):
        elements.append(
            Sentence(
                "Of three and more classes it is the probability of the class that was predicted, for the "
                "surest, the middle and the least sure of the tested molecules."
            )
        )
    if any(one.profiled for one in found):
        elements.append(
            Sentence(
                "Measured profiles stay as they are: what an atom adds is what structure says beside them."
            )
        )
    for task in dict.fromkeys(one.task for one in found):
        own = [one for one in found if one.task == task]
        elements += [Heading(task), Cards([_explained(one) for one in own], small=True)]
    return Section(title, elements)


def _explained(one: Attributed) -> Card:
    atoms = {place: value for place, value in enumerate(one.atoms) if value is not None}
    strongest = max(atoms.values(), key=abs, default=0.0)
    says = f"molecule {one.id}, the strongest atom adds {strongest:+.2g}"
    svg = draw_molecule(one.smiles, says=says, size=(240, 190), atoms=atoms)
    to = f" to the probability of {one.of_class}" if one.of_class else ""
    caption = f"predicted {one.predicted}, measured {one.measured}; strongest atom {strongest:+.2g}{to}"
    return Card(one.id[:_LONGEST], [(svg, caption)])
