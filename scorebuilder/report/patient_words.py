"""The words of a patient's page in each language, and how numbers are written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.language import load_catalogue
from scorebuilder.report.render import NO_DEVICE, STATUS_TEXT

_EN = {
    "page": "Explanation of one patient's score", "version": "version", "skip": "Skip to the page",
    "for_research": "Status: {status}.",
    "result": "Result", "points": "Points", "of_points": "of {maximum}", "group": "Risk group",
    "risk_within": "Risk within {horizon}",
    "of_hundred": "Of {size} patients like this one, about {count} are expected to have the event"
    " within {horizon}; about {rest} are not.",
    "rare": "Fewer than 1 of 1,000 patients like this one is expected to have the event within"
    " {horizon}.",
    "event": "Event", "like_this": "“Like this one” means: with the same values of the inputs of"
    " this score. The risk is a mean over such patients; it has no interval of its own, and whether"
    " this patient will have the event is not known.",
    "not_scored": "No score", "not_scored_text": "The score was not computed, because:",
    "missing": "must be known, and was not given. Measure it, or do not use this score.",
    "invalid_number": "must be a number. Check the entry.",
    "invalid_level": "must be one of: {levels}. Check the entry.",
    "out_of_range": "must lie in the possible range {range}. Check value and unit.",
    "floor": "must lie above {floor}; the curve of the score has no value there.",
    "attention": "Mind this", "imputed": "was not given; counted as {value}.",
    "extrapolation": "lies outside the range of most development patients ({range}): the score"
    " rests on few patients there.",
    "effects": "What makes this score",
    "effects_text": "Each bar compares this patient with the average patient of the development"
    " cohort. Bars to the right raise the hazard, bars to the left lower it.",
    "raises": "raises", "lowers": "lowers", "no_effect": "no effect", "hazard": "hazard × {factor}",
    "in_points": "{points} points", "counted_as": "counted as {value}",
    "filled_in": "not given, filled in", "can_change": "modifiable",
    "input_place": "of the development patients, {low} to {high} have a lower value",
    "sum": "Do the bars add up?",
    "sum_points": "Average patient {average}, bars {total}: together {patient} on the scale, which"
    " counts as {points} of {maximum} points (halves count upwards; the scale ends at 0 and"
    " {maximum}).",
    "sum_hazard": "On the log hazard scale: average {average}, bars {total}, this patient"
    " {patient}. The unrounded bars add up to the score; the difference is {error}.",
    "no_scale": "Bars are not shown in points: {reason}.",
    "neighbours": "Patients with nearly the same points",
    "neighbours_text": "What was observed in the development cohort. Patients with {points}"
    " points:",
    "joined": "{text} ({low} to {high} points together)",
    "neighbour": "{observed} at {horizon}, 95 % interval {interval}, n = {n}",
    "neighbour_undefined": "at {horizon}: not shown ({reason})",
    "patients": "Patients", "predicted": "Predicted", "observed": "Observed (95 % interval)",
    "horizon": "Horizon", "this_patient": "this patient", "hidden": "hidden",
    "place": "Where this patient lies",
    "place_text": "Between {low} and {high} of the development patients have a lower score.",
    "place_undefined": "Where the patient lies among the development patients is undefined:"
    " {reason}.",
    "references": "What the score would say at reference values",
    "references_text": "For inputs that care may change, one at a time, the others unchanged. The"
    " reference is the median of the development patients, or the reference level.",
    "not_causal": "Not causal: these are other patients, who had the reference value. The score"
    " cannot tell what would happen if this patient's value were changed, and does not advise"
    " treatment.",
    "no_references": "No input that the score calls modifiable differs from its reference.",
    "input": "Input", "now": "Now", "reference": "At reference",
    "about": "About the score", "intended_use": "Intended use", "not_for": "Not for",
    "population": "Population", "outcome": "Outcome", "time_zero": "Time zero",
    "derived_from": "Made from", "review_by": "Review by", "superseded_by": "Superseded by",
    "citation": "Citation", "contact": "Contact", "fingerprint": "Fingerprint",
    "scoring_part": "Scoring part",
    "development_patients": "Development patients", "private": "This page holds one patient's"
    " values. Keep it as you keep the record.",
}  # fmt: skip

_FR = {
    "page": "Explication du score d'un patient", "version": "version", "skip": "Aller au contenu",
    "for_research": "Statut : {status}.",
    "result": "Résultat", "points": "Points", "of_points": "sur {maximum}",
    "group": "Niveau de risque", "risk_within": "Risque à {horizon}",
    "of_hundred": "Sur {size} patients comme celui-ci, environ {count} devraient présenter"
    " l'événement dans les {horizon} ; environ {rest} non.",
    "rare": "Moins de 1 patient comme celui-ci sur 1 000 devrait présenter l'événement dans les"
    " {horizon}.",
    "event": "Événement", "like_this": "« Comme celui-ci » signifie : avec les mêmes valeurs des"
    " variables du score. Le risque est une moyenne sur ces patients ; il n'a pas d'intervalle"
    " propre, et nul ne sait si ce patient présentera l'événement.",
    "not_scored": "Pas de score", "not_scored_text": "Le score n'a pas été calculé, car :",
    "missing": "doit être connu et n'a pas été donné. Mesurez-le, ou n'utilisez pas ce score.",
    "invalid_number": "doit être un nombre. Vérifiez la saisie.",
    "invalid_level": "doit être l'une des modalités : {levels}. Vérifiez la saisie.",
    "out_of_range": "doit se trouver dans les limites possibles {range}. Vérifiez valeur et unité.",
    "floor": "doit être supérieur à {floor} ; la courbe du score n'y a pas de valeur.",
    "attention": "À noter", "imputed": "n'a pas été donné ; compté comme {value}.",
    "extrapolation": "se trouve hors des valeurs de la plupart des patients de développement"
    " ({range}) : le score y repose sur peu de patients.",
    "effects": "Ce qui fait ce score",
    "effects_text": "Chaque barre compare ce patient au patient moyen de la cohorte de"
    " développement. Vers la droite, le risque instantané augmente ; vers la gauche, il diminue.",
    "raises": "augmente", "lowers": "diminue", "no_effect": "sans effet",
    "hazard": "risque instantané × {factor}", "in_points": "{points} points",
    "counted_as": "compté comme {value}", "filled_in": "non donné, complété",
    "can_change": "modifiable",
    "input_place": "{low} à {high} des patients de développement ont une valeur plus basse",
    "sum": "Les barres s'additionnent-elles ?",
    "sum_points": "Patient moyen {average}, barres {total} : ensemble {patient} sur l'échelle, ce"
    " qui compte pour {points} points sur {maximum} (les demis vers le haut ; l'échelle s'arrête à"
    " 0 et à {maximum}).",
    "sum_hazard": "En logarithme du risque instantané : moyenne {average}, barres {total}, ce"
    " patient {patient}. Les barres non arrondies donnent exactement le score ; écart {error}.",
    "no_scale": "Les barres ne sont pas données en points : {reason}.",
    "neighbours": "Patients ayant presque les mêmes points",
    "neighbours_text": "Ce qui a été observé dans la cohorte de développement. Patients ayant"
    " {points} points :",
    "joined": "{text} ({low} à {high} points ensemble)",
    "neighbour": "{observed} à {horizon}, intervalle à 95 % {interval}, n = {n}",
    "neighbour_undefined": "à {horizon} : non montré ({reason})",
    "patients": "Patients", "predicted": "Prédit", "observed": "Observé (intervalle à 95 %)",
    "horizon": "Horizon", "this_patient": "ce patient", "hidden": "masqué",
    "place": "Où se situe ce patient",
    "place_text": "Entre {low} et {high} des patients de développement ont un score plus bas.",
    "place_undefined": "La place du patient parmi ceux de développement est indéfinie : {reason}.",
    "references": "Ce que dirait le score aux valeurs de référence",
    "references_text": "Pour les variables que les soins peuvent changer, une à la fois, les autres"
    " inchangées. La référence est la médiane des patients de développement, ou la modalité de"
    " référence.",
    "not_causal": "Non causal : il s'agit d'autres patients, qui avaient la valeur de référence. Le"
    " score ne dit pas ce qui arriverait si la valeur de ce patient changeait, et ne conseille"
    " aucun traitement.",
    "no_references": "Aucune variable dite modifiable ne diffère de sa référence.",
    "input": "Variable", "now": "Actuel", "reference": "À la référence",
    "about": "À propos du score", "intended_use": "Usage prévu", "not_for": "Ne pas utiliser pour",
    "population": "Population", "outcome": "Critère", "time_zero": "Temps zéro",
    "derived_from": "Issu de", "review_by": "À revoir avant le", "superseded_by": "Remplacé par",
    "citation": "Citation", "contact": "Contact", "fingerprint": "Empreinte",
    "scoring_part": "Partie de calcul",
    "development_patients": "Patients de développement", "private": "Cette page contient les"
    " valeurs d'un patient. Conservez-la comme le dossier.",
}  # fmt: skip

WORDS = {"en": _EN, "fr": _FR}
_SPACE = "\N{NO-BREAK SPACE}"
_FRENCH_TIME = {"year": "an", "month": "mois", "day": "jour"}


@dataclass(frozen=True)
class Tongue:
    """
    A language: its words, and its way of writing numbers.

    Attributes
    ----------
    code : {"en", "fr"}
        Of the language.

    Examples
    --------
    >>> Tongue("fr").horizon(1826.25), Tongue("en").horizon(365.25)
    ('5 ans', '1 year')
    """

    code: str

    def say(self, key: str, **parts: Any) -> str:
        """
        Write a phrase.

        Parameters
        ----------
        key : str
            Which one.
        **parts : object
            What it names.

        Returns
        -------
        str
            The phrase.
        """
        return WORDS[self.code][key].format(**parts)

    def status(self, name: str) -> str:
        """
        Name the status of a score.

        Parameters
        ----------
        name : str
            As in the artifact.

        Returns
        -------
        str
            As the report names it.
        """
        return self._as_reported(name)

    def status_text(self, name: str) -> str:
        """
        Say what the status of a score allows.

        Parameters
        ----------
        name : str
            As in the artifact.

        Returns
        -------
        str
            As the report says it.
        """
        return self._as_reported(STATUS_TEXT.get(name, NO_DEVICE))

    def _as_reported(self, text: str) -> str:
        return text if self.code == "en" else load_catalogue(self.code).phrases[text]

    def local(self, text: str) -> str:
        """
        Write a number as the language does.

        Parameters
        ----------
        text : str
            From `numbers`: comma between thousands, decimal point.

        Returns
        -------
        str
            In French a decimal comma, and a no-break space between thousands.
        """
        if self.code == "en":
            return text
        return text.replace(",", _SPACE).replace(".", ",")

    def percent(self, value: float, digits: int = 1) -> str:
        """
        Write a fraction as per cent.

        Parameters
        ----------
        value : float
            A fraction.
        digits : int
            Decimals.

        Returns
        -------
        str
            With a no-break space before the sign.
        """
        return self.local(numbers.percent(value, digits))

    def quantity(self, value: float | str, unit: str) -> str:
        """
        Write a value as it was measured, with its unit.

        Parameters
        ----------
        value : float or str
            Number, or label of a level.
        unit : str
            As people write it; may be empty.

        Returns
        -------
        str
            A number is not rounded.
        """
        if isinstance(value, str):
            return value
        return f"{self.local(_plain(value))}{_SPACE}{self.unit(unit)}".strip()

    def unit(self, unit: str) -> str:
        """
        Write a unit of time in the language; others stay.

        Parameters
        ----------
        unit : str
            As people write it.

        Returns
        -------
        str
            The unit.
        """
        if self.code == "fr" and unit.removesuffix("s") in _FRENCH_TIME:
            word = _FRENCH_TIME[unit.removesuffix("s")]
            return word if word.endswith("s") else f"{word}s"
        return unit

    def horizon(self, days: float) -> str:
        """
        Write a horizon.

        Parameters
        ----------
        days : float
            The horizon.

        Returns
        -------
        str
            For example ``5 years`` or ``5 ans``.
        """
        value, word = format_horizon(days).split(" ", 1)
        if self.code == "fr":
            plural = word.endswith("s")
            word = _FRENCH_TIME[word.removesuffix("s")]
            word += "s" if plural and not word.endswith("s") else ""
        return f"{value} {word}"


def _plain(value: float) -> str:
    """Shortest form that reads back as the number, with a true minus sign."""
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value!r}"
    return text.replace("-", "\N{MINUS SIGN}")
