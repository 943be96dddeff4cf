"""Kelly sizing, bounded."""

from collections.abc import Iterator
from typing import ClassVar, Final

import attrs

from bot4_core.domain_types.records import Feature
from bot4_core.plugins.interfaces import CompiledForm, PartSettings, Sizer
from bot4_plugins.sizer_kelly.kernel import KellyParam, KellyValue, size

__all__ = ["HIGHEST_CAP", "Kelly", "KellySettings"]

HIGHEST_CAP: Final = 0.25
"""No setting lets one position take more than a quarter of equity."""


@attrs.frozen(kw_only=True)
class KellySettings(PartSettings):
    """How much of the Kelly stake is taken.

    Parameters
    ----------
    fraction : float
        Share of the full Kelly stake, in (0, 1]; half keeps three quarters of the growth.
    cap : float
        Largest share of equity in one position, in (0, 0.25].
    """

    fraction: float = 0.5
    cap: float = HIGHEST_CAP

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not 0.0 < self.fraction <= 1.0:
            yield "fraction", f"{self.fraction} is not in (0, 1]"
        if not 0.0 < self.cap <= HIGHEST_CAP:
            yield "cap", f"{self.cap} is not in (0, {HIGHEST_CAP}]"


class Kelly(Sizer[KellySettings]):
    """Trades towards ``min(fraction * edge / variance, cap)`` of equity on the signal's side.

    Raises
    ------
    ValidationError
        If a setting breaks a rule.

    References
    ----------
    .. [1] Kelly, J. L. (1956). A new interpretation of information rate. Bell System Technical
       Journal 35(4), 917-926. doi:10.1002/j.1538-7305.1956.tb03809.x.
    .. [2] Thorp, E. O. (2006), eq. 7.3.
    """

    name: ClassVar[str] = "kelly"
    settings_type: ClassVar[type[PartSettings]] = KellySettings
    reads: ClassVar[Feature] = Feature.NONE

    def compiled(self) -> CompiledForm:
        """Return the kernel with these settings."""
        params = CompiledForm.new_params()
        params["f"][KellyParam.FRACTION] = self.settings.fraction
        params["f"][KellyParam.CAP] = self.settings.cap
        names = tuple((slot.name.lower(), int(slot)) for slot in KellyValue)
        return CompiledForm(function=size, params=params, state_values=names)
