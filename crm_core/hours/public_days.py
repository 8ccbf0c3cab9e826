"""Public holidays, from the data of the `holidays` package, a year at a time.

The package takes a tenth of a second to import and is asked for only when a calendar first
needs a year. Observed days (a holiday on a Sunday kept on the Monday) are included.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date

from crm_core.hours.errors import UnknownHolidays


@functools.lru_cache(maxsize=512)
def public_days(country: str, region: str | None, year: int) -> Mapping[date, str]:
    """The holidays of `year` with their English names, where there is an English name.

    `country` is an ISO 3166 code, `region` the subdivision's (`US`, `NY`); UnknownHolidays
    where the package has neither.
    """
    import holidays

    try:
        found = holidays.country_holidays(country, subdiv=region, years=year, expand=False)
    except NotImplementedError:
        raise UnknownHolidays(place=f"{country}-{region}" if region else country) from None
    return dict(sorted(found.items()))
