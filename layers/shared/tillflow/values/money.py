"""Money: integer minor units inside, `Decimal` where a contract shows a decimal amount, a float never."""

from decimal import Decimal

# Source: ISO 4217, list one as SIX published it on 2026-01-01 (https://www.six-group.com, "Currency codes"): by the digits of
# their minor unit, all currencies that have one. (Metals, units of account and the codes for tests and for none have none.)
_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP "
    "COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
    "TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS = {code: digits for digits, codes in _CODES.items() for code in codes.split()}


def decimal_amount(minor_units: int, currency: str) -> Decimal:
    """
    Return *minor_units* of *currency* (ISO 4217) as the decimal amount people write: `1990, "USD"` is `19.90`.

    Raises:
        KeyError: there is no such currency.
    """
    return Decimal(minor_units).scaleb(-MINOR_DIGITS[currency])
