"""Money: integer minor units inside, `Decimal` where a contract shows a decimal amount, a float never."""

from decimal import Decimal

# ISO 4217 currencies whose minor unit is not a hundredth.
_EXPONENTS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


def decimal_amount(minor_units: int, currency: str) -> Decimal:
    """Return *minor_units* of *currency* (ISO 4217) as the decimal amount people write: `1990, "USD"` is `19.90`."""
    return Decimal(minor_units).scaleb(-_EXPONENTS.get(currency, 2))
