"""How the report writes numbers: one small set of functions for pages and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

NumberStyle: TypeAlias = Callable[[float], str]

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_JOURNAL: ContextVar[bool] = ContextVar("journal", default=False)


@contextmanager
def journal() -> Iterator[None]:
    """
    Write what follows for a manuscript, inside the context.

    Yields
    ------
    None
        `p_value` gives two decimals from 0.01 on, and three below and beside 0.05; no table is
        parted into what is shown and what is folded away.
    """
    token = _JOURNAL.set(True)
    try:
        yield
    finally:
        _JOURNAL.reset(token)


def _typeset(text: str) -> str:
    """Put a true minus sign, and none before a rounded zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0., %" + _SPACE) else _MINUS + text[1:]
    return text


def for_journal() -> bool:
    """
    Tell whether this is written for a manuscript.

    Returns
    -------
    bool
        True inside `journal`.
    """
    return _JOURNAL.get()


def count(value: float) -> str:
    """
    Write a count with thousands separated.

    Parameters
    ----------
    value : float
        A whole number.

    Returns
    -------
    str
        The count.

    Examples
    --------
    >>> count(3873)
    '3,873'
    """
    return _typeset(f"{value:,.0f}")


def number(value: float, digits: int = 2) -> str:
    """
    Write a number with a fixed number of decimals.

    Parameters
    ----------
    value : float
        Any finite number.
    digits : int
        Decimals.

    Returns
    -------
    str
        With a true minus sign; a rounded zero carries none.

    Examples
    --------
    >>> number(1.005), number(-0.001)
    ('1.00', '0.00')
    """
    return _typeset(f"{value:,.{digits}f}")


def one(value: float) -> str:
    """
    Write a number with one decimal: events per 1,000 patient-years.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    str
        For example ``31.4``.
    """
    return number(value, 1)


def three(value: float) -> str:
    """
    Write a number with three decimals: AUC, C-index, Brier score, slope.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    str
        For example ``0.712``.
    """
    return number(value, 3)


def four(value: float) -> str:
    """
    Write a number with four decimals: VIMP, coefficients in tables.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    str
        For example ``0.0123``.
    """
    return number(value, 4)


def two(value: float) -> str:
    """
    Write a number with two decimals: hazard ratios, chi-squared.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    str
        For example ``1.45``.
    """
    return number(value, 2)


def percent(value: float, digits: int = 1) -> str:
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

    Examples
    --------
    >>> percent(0.2336).replace(chr(160), " ")
    '23.4 %'
    """
    return _typeset(f"{100 * value:,.{digits}f}{_SPACE}%")


def signed(value: float, digits: int = 3) -> str:
    """
    Write a number with its sign.

    Parameters
    ----------
    value : float
        Any finite number.
    digits : int
        Decimals.

    Returns
    -------
    str
        ``+0.120`` for 0.12; a rounded zero has no sign.
    """
    text = number(value, digits)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def quantity(value: Any) -> str:
    """
    Write a measured value with three significant digits; text stays as it is.

    Parameters
    ----------
    value : float or str
        A value of a predictor.

    Returns
    -------
    str
        The value.

    Examples
    --------
    >>> quantity(0.9312), quantity(141.0), quantity(12345.6), quantity("female")
    ('0.931', '141', '12,346', 'female')
    """
    if not isinstance(value, int | float):
        return str(value)
    if abs(value) >= 100:
        return number(value, 0)
    return (
        _typeset(f"{value:.3g}") if abs(value) >= 1e-4 or value == 0 else _typeset(f"{value:.1e}")
    )


def p_value(value: float | None, reason: str | None = None) -> str:
    """
    Write a P value.

    Parameters
    ----------
    value : float or None
        In [0, 1]; None when it is undefined.
    reason : str, optional
        Why it is undefined.

    Returns
    -------
    str
        Three decimals, or ``<0.001``; otherwise inside `journal`.
    """
    if value is None:
        return undefined(reason)
    if value < 0.001:
        return "<0.001"
    if not _JOURNAL.get():
        return number(value, 3)
    if value > 0.99:
        return ">0.99"
    # With two decimals, 0.0099 would read 0.01 and 0.047 would read 0.05.
    return number(value, 3 if value < 0.00995 or 0.045 <= value < 0.055 else 2)


def undefined(reason: str | None) -> str:
    """
    Write a quantity that has no value.

    Parameters
    ----------
    reason : str or None
        Why it has none.

    Returns
    -------
    str
        ``undefined: reason``.
    """
    words = (reason or "no reason recorded").removeprefix("undefined, because ")
    return words if words.startswith(("undefined: ", "undefined in ")) else f"undefined: {words}"


def maybe(value: float | None, reason: str | None = None, *, style: NumberStyle = three) -> str:
    """
    Write a number, or why there is none.

    Parameters
    ----------
    value : float or None
        The number.
    reason : str, optional
        Why it is undefined.
    style : callable
        How the number is written.

    Returns
    -------
    str
        The number or ``undefined: reason``.
    """
    return undefined(reason) if value is None else style(value)


def interval(lower: float | None, upper: float | None, *, style: NumberStyle = three) -> str:
    """
    Write the two limits of an interval.

    Parameters
    ----------
    lower, upper : float or None
        The limits.
    style : callable
        How a number is written.

    Returns
    -------
    str
        ``0.690 to 0.731``; the unit ``%`` is written once; empty if a limit is missing.
    """
    if lower is None or upper is None:
        return ""
    first = style(lower).removesuffix(f"{_SPACE}%")
    return f"{first} to {style(upper)}"


def estimate(
    value: float | None,
    lower: float | None,
    upper: float | None,
    reason: str | None = None,
    *,
    style: NumberStyle = three,
) -> str:
    """
    Write an estimate with its interval.

    Parameters
    ----------
    value, lower, upper : float or None
        Estimate and limits.
    reason : str, optional
        Why the estimate is undefined.
    style : callable
        How a number is written.

    Returns
    -------
    str
        ``0.712 (0.690 to 0.731)``, the number alone without limits, or ``undefined: reason``.
    """
    if value is None:
        return undefined(reason)
    limits = interval(lower, upper, style=style)
    return f"{style(value)} ({limits})" if limits else style(value)


def difference(
    value: float | None, lower: float | None, upper: float | None, reason: str | None = None
) -> str:
    """
    Write a difference with its sign and interval.

    Parameters
    ----------
    value, lower, upper : float or None
        Difference and limits.
    reason : str, optional
        Why the difference is undefined.

    Returns
    -------
    str
        ``+0.038 (0.019 to 0.057)`` or ``undefined: reason``.
    """
    if value is None:
        return undefined(reason)
    limits = interval(lower, upper)
    return f"{signed(value)} ({limits})" if limits else signed(value)
