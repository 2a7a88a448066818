"""A small algebra of units: children a month, cases per worker, £ a year, or none.

A unit is a product of base units with whole powers, written ``children/month`` or
``workers*month``; ``dimensionless`` is the empty product.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from demand_model.errors import InvalidSettingError

DIMENSIONLESS = "dimensionless"

_WORD = re.compile(r"[A-Za-z£][A-Za-z£ ]*")


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of powers of base units.

    Attributes
    ----------
    powers
        (base unit, power), sorted by name, no power being 0.
    """

    powers: tuple[tuple[str, int], ...] = ()

    def __mul__(self, other: Unit) -> Unit:
        return _product(self, other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return _product(self, other, -1)

    def __pow__(self, power: int) -> Unit:
        return _unit({base: own * power for base, own in self.powers})

    def __str__(self) -> str:
        """Text as `parse_unit` reads it."""
        above = [_factor(base, power) for base, power in self.powers if power > 0]
        below = [_factor(base, -power) for base, power in self.powers if power < 0]
        if not above and not below:
            return DIMENSIONLESS
        return "/".join(["*".join(above) or "1", *below])

    @property
    def is_dimensionless(self) -> bool:
        """No base unit is left."""
        return not self.powers


NONE = Unit()
"""Dimensionless."""


def _factor(base: str, power: int) -> str:
    return base if power == 1 else f"{base}^{power}"


def _unit(powers: dict[str, int]) -> Unit:
    return Unit(tuple(sorted((base, power) for base, power in powers.items() if power)))


def _product(left: Unit, right: Unit, sign: int) -> Unit:
    powers = dict(left.powers)
    for base, power in right.powers:
        powers[base] = powers.get(base, 0) + sign * power
    return _unit(powers)


def parse_unit(text: str) -> Unit:
    """Unit from text such as ``children/month``, ``1/month`` or ``dimensionless``.

    Raises
    ------
    InvalidSettingError
        The text is not a product or quotient of words.

    Examples
    --------
    >>> str(parse_unit("cases/worker") * parse_unit("worker/month"))
    'cases/month'
    """
    powers: dict[str, int] = {}
    for number, part in enumerate(text.strip().split("/")):
        for factor in part.split("*"):
            base, _, power = factor.strip().partition("^")
            if base.strip() in (DIMENSIONLESS, "1") and not power:
                continue
            if not _WORD.fullmatch(base.strip()) or (power and not power.strip().isdigit()):
                raise InvalidSettingError(
                    f"Invalid unit: {text!r}. It must be words joined by * and /, such as "
                    f"children/month, or {DIMENSIONLESS}."
                )
            name = base.strip()
            signed = int(power or 1) * (-1 if number else 1)
            powers[name] = powers.get(name, 0) + signed
    return _unit(powers)
